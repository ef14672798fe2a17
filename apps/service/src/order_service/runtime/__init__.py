"""The shell around the engine: it moves inputs, commits and effects, and decides nothing."""
