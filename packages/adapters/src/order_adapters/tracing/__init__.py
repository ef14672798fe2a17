"""Traces of a signal's life, for whoever collects them."""
