"""Order entry beside bare connections and other clients: `python -m benchmarks.order_entry`."""
