"""What stands for and against an order, and the limits it has to pass."""
