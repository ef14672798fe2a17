"""Venues: exchanges behind the Venue port."""
