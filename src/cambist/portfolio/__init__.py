"""Money: the ledger, and how large a position may be."""
