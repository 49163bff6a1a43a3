"""The venue that fills by the law of `market/matching.py`."""
