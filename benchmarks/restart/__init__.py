"""A restart with 10,000 open orders, beside a store with and without a million closed ones."""
