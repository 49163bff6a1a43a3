"""Binance by its own protocol: the native stream."""
