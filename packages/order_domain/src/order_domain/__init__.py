"""The pure heart of the order manager: model, rules, decisions, book and engine; no I/O, no clock."""
