"""Bybit V5: its words, records, bodies and replies, and the venue that speaks with them."""
