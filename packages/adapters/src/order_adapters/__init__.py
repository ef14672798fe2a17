"""What stands behind the domain's ports: venues, stores, messaging and clocks."""
