"""Texts: results."""

TEXTS: dict[str, tuple[str, str]] = {}
