"""Texts: candles."""

TEXTS: dict[str, tuple[str, str]] = {}
