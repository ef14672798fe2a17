"""The guardian: a process of its own that cancels everything when the service is gone."""
