"""Performance and risk measures: pure functions over arrays."""
