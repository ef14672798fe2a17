"""Sockets: the private, trade and public streams."""
