"""Venues behind their ports."""
