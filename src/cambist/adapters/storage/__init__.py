"""Candles in Parquet, results in a database."""
