"""The shell around the engine: runtime, settings, container and the HTTP service."""
