"""Pages for people: what an operator wants to see, and how the API is spoken to."""
