"""The `order-manager` command (short `om`): runs, replays and inspects the order manager."""
