"""`diagram`: the lifecycle table as a picture."""

from order_domain.lifecycle import to_mermaid


def diagram() -> None:
    """Print the life of an order as a Mermaid state diagram, from the table that decides it."""
    print(to_mermaid(), end="")
