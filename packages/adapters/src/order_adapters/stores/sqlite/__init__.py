"""A store in one SQLite file, for one machine: durable at every commit, open to any SQLite tool."""
