"""Searches for better parameters, and whether to believe what they find."""
