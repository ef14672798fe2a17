"""Market: what everybody sees of the instruments, and where it comes from."""
