"""`SqlAnswers`: what was answered to requests that carry a key of their own."""

from collections.abc import Mapping

import sqlalchemy as sa

from cambist.adapters.storage.owned import Owned
from cambist.adapters.storage.tables.people import answered
from cambist.ports.answers import Kept

_GIVEN_UP_MS = 60_000
_KEPT_MS = 24 * 3_600_000


class SqlAnswers(Owned):
    """The port `Answers` over SQL, for one user."""

    def claim(self, key: str, request: str, ts: int) -> Kept | None:
        """Claim ``key``, or return what is kept under it; answers of more than a day ago are forgotten."""
        self._change(answered.delete().where(answered.c.ts < ts - _KEPT_MS))
        row = {"user_id": self._user_id, "key": key, "request": request, "ts": ts, "status": None, "body": ""}
        try:
            self._add(answered, row, returning="key")
        except sa.exc.IntegrityError:
            return self._taken(key, request, ts)
        return None

    def _taken(self, key: str, request: str, ts: int) -> Kept | None:
        stale = sa.and_(answered.c.status.is_(None), answered.c.ts <= ts - _GIVEN_UP_MS, answered.c.request == request)
        if self._change(answered.update().where(answered.c.key == key, stale).values(ts=ts)):
            return None
        columns = (answered.c.request, answered.c.ts, answered.c.status, answered.c.headers, answered.c.body)
        query = sa.select(*columns).where(answered.c.key == key)
        for row in self._read(query):
            return Kept(**row)
        return Kept(request=request, ts=ts, status=None)  # given back just now: the next try will have it

    def keep(self, key: str, status: int, headers: Mapping[str, str] | None = None, body: str = "") -> None:
        """Keep the answer under ``key``; without ``headers``, only that there was one."""
        answer = {"status": status, "headers": None if headers is None else dict(headers), "body": body}
        self._change(answered.update().where(answered.c.key == key).values(answer))

    def drop(self, key: str) -> None:
        """Give ``key`` back."""
        self._change(answered.delete().where(answered.c.key == key, answered.c.status.is_(None)))
