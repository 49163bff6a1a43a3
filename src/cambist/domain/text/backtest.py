"""Texts: backtest."""

TEXTS: dict[str, tuple[str, str]] = {}
