"""`RedisTallies`: what all processes count together, in Redis."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.client import Pipeline
from redis.exceptions import ConnectionError as Away
from redis.exceptions import RedisError
from redis.retry import Retry

from cambist.domain.errors import BadInput, BusFailed

_PATIENCE_S = 2.0
"""How long Redis may take to answer: somebody waits for it."""


class RedisTallies:
    """The port `Tallies` over Redis."""

    def __init__(self, url: str) -> None:
        try:
            self._redis = Redis.from_url(
                url,
                decode_responses=True,
                socket_timeout=_PATIENCE_S,
                socket_connect_timeout=_PATIENCE_S,
                retry=Retry(NoBackoff(), 1, (Away,)),  # of a Redis that was restarted the connection is an old one
            )
        except ValueError:
            # the address may hold a password: name no more of it than its beginning
            raise BadInput("BUS_URL", url.partition(":")[0], "bus.url") from None
        self._where = url.rpartition("@")[2].partition("?")[0]

    def change(self, names: Sequence[str], how: Callable[[list[Any]], list[Any]], for_ms: int) -> None:
        """Replace the notes called ``names`` by what ``how`` makes of them; raise `BusFailed`."""
        keys = [f"cambist-tallies:{name}" for name in names]

        def changed(pipe: Pipeline) -> None:
            known = pipe.mget(keys)
            notes = how([None if one is None else json.loads(one) for one in known])
            pipe.multi()
            for key, note in zip(keys, notes, strict=True):
                if note is None:
                    pipe.delete(key)
                else:
                    pipe.set(key, json.dumps(note), px=for_ms)

        try:
            self._redis.transaction(changed, *keys)  # again, if another has changed one of them meanwhile
        except (RedisError, OSError) as error:
            raise BusFailed("bus.failed", where=self._where, why=error) from error

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()
