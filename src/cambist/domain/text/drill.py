"""Of drills and parity."""

TEXTS: dict[str, tuple[str, str]] = {}
