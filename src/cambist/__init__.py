"""Cambist."""
