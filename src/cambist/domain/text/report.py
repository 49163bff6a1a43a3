"""Texts: report."""

TEXTS: dict[str, tuple[str, str]] = {}
