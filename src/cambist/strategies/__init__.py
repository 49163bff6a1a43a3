"""Strategies: one file, one strategy; wishes, not orders. What they share is in the files with an underscore."""
