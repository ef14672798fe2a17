"""Rows: records of the exchange as Bybit V5 writes them, with its differences by category."""
