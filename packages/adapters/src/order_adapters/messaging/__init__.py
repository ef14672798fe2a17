"""Messaging: where signals come from and where events go."""
