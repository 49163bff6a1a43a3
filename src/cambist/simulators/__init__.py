"""Exchanges in a box: servers that unmodified clients take for the real thing."""
