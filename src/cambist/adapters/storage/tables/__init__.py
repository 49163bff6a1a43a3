"""The tables of the database, by area. A row that a user owns carries that user's id."""

from cambist.adapters.storage.tables import book, people, work
from cambist.adapters.storage.tables.columns import Document, Money, metadata

__all__ = ["HEAD", "Document", "Money", "book", "metadata", "people", "work"]

HEAD = "0008"
"""The revision in ``migrations/versions`` that makes these tables: what a database must stand at to be used."""
