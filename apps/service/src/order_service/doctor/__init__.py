"""Doctor: looks at everything a live service needs and says in plain words what is wrong."""
