"""The durable pipeline beside straight-line floors: `python -m benchmarks.pipeline`."""
