"""How to order, when there is nothing against it: one noun each."""
