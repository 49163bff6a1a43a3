"""What the market does: candles, how orders fill, what it costs."""
