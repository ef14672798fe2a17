"""The pure heart of the order manager.

Model, rules, decisions, book and engine; no I/O, no clock.
"""
