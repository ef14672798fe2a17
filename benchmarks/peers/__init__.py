"""Other people's backtesters, each in an environment of its own under `.bench/`."""
