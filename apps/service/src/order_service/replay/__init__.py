"""Replay: recorded signals against a recorded market, in virtual time, through the real runtime."""
