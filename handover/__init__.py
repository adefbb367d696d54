"""Where a human takes over."""
