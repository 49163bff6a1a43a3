"""Orders and the rules they must pass."""
