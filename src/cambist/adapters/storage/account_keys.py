"""`SqlKeyRegister`: what is remembered of the keys of accounts, in the database. The keys lie in the vault."""

from contextlib import suppress
from dataclasses import asdict

import sqlalchemy as sa

from cambist.adapters.storage.owned import Owned
from cambist.adapters.storage.tables.work import account_keys as table
from cambist.domain.broker import KeyRights, KnownKey, Right
from cambist.domain.errors import NotFound

_ALL = sa.select(table).order_by(table.c.account)


class SqlKeyRegister(Owned):
    """The port `KeyRegister` over SQL: for one user; for all if ``user_id`` is None."""

    def tested(self, key: KnownKey) -> None:
        """Keep what a test has shown, in place of what an earlier one did; raise `NotFound` without the account."""
        row = {
            "account": key.account,
            "user_id": key.user_id,
            "rights": asdict(key.rights),
            "tested_ms": key.tested_ms,
        }
        known = sa.update(table).where(table.c.account == key.account, table.c.user_id == key.user_id)
        for _ in range(2):  # another test of the same key may have come in between
            if self._change(known.values(rights=row["rights"], tested_ms=row["tested_ms"])):
                return
            with suppress(sa.exc.IntegrityError):
                self._add(table, row, returning="account")
                return
        raise NotFound("book.no_account", account=key.account, near="-")

    def keys(self) -> dict[str, KnownKey]:
        """Return what is known of each account's key, by account."""
        return {
            row["account"]: KnownKey(
                account=row["account"],
                user_id=row["user_id"],
                rights=_rights(row["rights"]),
                tested_ms=row["tested_ms"],
            )
            for row in self._read(_ALL)
        }


def _rights(said: dict[str, str | int | None]) -> KeyRights:
    read, trade, withdraw, bound = (Right(str(said[name])) for name in ("read", "trade", "withdraw", "address_bound"))
    expires = said["expires_ms"]
    return KeyRights(
        read=read,
        trade=trade,
        withdraw=withdraw,
        address_bound=bound,
        expires_ms=None if expires is None else int(expires),
    )
