"""Texts: strategies."""

TEXTS: dict[str, tuple[str, str]] = {}
