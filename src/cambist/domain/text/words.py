"""Texts: words."""

TEXTS: dict[str, tuple[str, str]] = {}
