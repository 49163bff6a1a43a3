"""Texts: download."""

TEXTS: dict[str, tuple[str, str]] = {}
