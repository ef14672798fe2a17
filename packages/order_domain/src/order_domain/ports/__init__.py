"""What we need from outside, in our words.

Protocols only; one contract suite per port runs on every adapter.
"""
