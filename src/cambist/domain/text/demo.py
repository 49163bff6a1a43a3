"""Texts: demo."""

TEXTS: dict[str, tuple[str, str]] = {}
