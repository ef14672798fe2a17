"""REST: the V5 endpoints that are served, by path."""
