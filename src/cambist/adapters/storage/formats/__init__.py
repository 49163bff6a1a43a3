"""How candle files look: rows as they stand, which column is what, how times are written, what names tell."""
