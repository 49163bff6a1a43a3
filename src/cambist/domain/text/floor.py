"""Of running the trading floor: `cambist up`, `run`, `bot`, `account`."""

TEXTS: dict[str, tuple[str, str]] = {}
