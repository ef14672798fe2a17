"""Stores: each is a journal (writes), views and an outbox (reads) over the same rows."""
