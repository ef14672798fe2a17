"""HTTP: the service as a resource tree. It reads committed rows and hands signals in."""
