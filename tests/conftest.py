"""Fixtures that every test can ask for."""

from tests.databases import database_url, postgres_server, postgres_url, redis_server

__all__ = ["database_url", "postgres_server", "postgres_url", "redis_server"]
