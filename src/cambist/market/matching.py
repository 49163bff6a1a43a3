"""How orders fill."""
