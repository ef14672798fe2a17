"""A store in memory: for tests, simulation, backtests and a throw-away dry run."""
