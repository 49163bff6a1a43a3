"""Brokers: the exchanges that there are, and what a person's key may do at one of them."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

from cambist.domain.record import record
from cambist.domain.report import Balance


class Right(StrEnum):
    """Whether a key may do something."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    """The exchange does not say."""


@record(kw_only=True)
class KeyRights:
    """What a key may do, as far as its exchange tells."""

    read: Right = Right.UNKNOWN
    trade: Right = Right.UNKNOWN
    withdraw: Right = Right.UNKNOWN
    """Withdraw: send money to somebody else. No program that trades needs it."""
    address_bound: Right = Right.UNKNOWN
    """Whether it obeys only when it is used from certain network addresses."""
    expires_ms: int | None = None
    """When it stops to be valid; None: never, or the exchange does not say."""


@record(kw_only=True)
class KeyTest:
    """What came of trying a key."""

    rights: KeyRights
    balances: Mapping[str, Balance]
    """By asset, without what is empty; exact."""
    quote: str
    values: Mapping[str, Decimal]
    """By asset: what it is worth in ``quote`` at the last price; assets without a price at hand are missing."""
    latency_ms: int
    """How long the exchange took for its answer."""
    clock_ahead_ms: int
    """How far the exchange's clock is ahead of ours."""

    @property
    def worth(self) -> Decimal:
        """Return what everything with a price at hand is worth in ``quote``: an estimate."""
        return sum(self.values.values(), Decimal(0))

    @property
    def unpriced(self) -> tuple[str, ...]:
        """Return the assets that are not in `worth`."""
        return tuple(asset for asset in self.balances if asset not in self.values)


@record(kw_only=True)
class ExchangeCard:
    """One exchange that ccxt knows, as people choose one."""

    id: str
    name: str
    tradable: bool
    """Cambist can trade there; else it only shows prices."""
    needs: tuple[str, ...]
    """What a key consists of there: ``api_key``, ``secret``, ``password``, ``uid``; where Cambist cannot trade, also
    other things, in ccxt's words."""
    testnet: bool
    """There is an exchange for trying out with made-up money, and Cambist can trade there."""
    sandbox: bool
    """ccxt knows addresses of a sandbox, whether or not Cambist can trade there."""
    countries: tuple[str, ...]
    timeframes: tuple[str, ...]
    has: Mapping[str, Any]
    """What ccxt's class can do there, in ccxt's words: true, false, null, ``emulated``."""


@record(kw_only=True)
class KnownKey:
    """What is remembered of an account's key; the key itself lies in the vault."""

    account: str
    user_id: int
    rights: KeyRights
    tested_ms: int
