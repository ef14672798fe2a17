"""Rows as tables: the columns of each row class, and how values are written there and read."""
