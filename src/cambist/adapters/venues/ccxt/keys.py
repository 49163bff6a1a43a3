"""Trying a key: what it opens, what it may do as far as its exchange tells, and what is wrong with one that fails."""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import astuple
from datetime import datetime
from decimal import Decimal
from typing import Any

from cambist.adapters.venues.ccxt import parse
from cambist.adapters.venues.ccxt.line import Line
from cambist.adapters.venues.ccxt.place import Place
from cambist.adapters.venues.ccxt.shown import last_prices
from cambist.domain.broker import KeyRights, KeyTest, Right
from cambist.domain.credentials import Credentials
from cambist.domain.errors import BadInput, CambistError, NotFound, VenueError, VenueRefused, VenueUnavailable
from cambist.domain.exact import EXACT
from cambist.domain.report import Balance
from cambist.market.budget import Urgency

Reader = Callable[[Mapping[str, Any]], KeyRights]


async def test_key(place: Place, credentials: Credentials, *, testnet: bool, quote: str) -> KeyTest:
    """Connect to ``place`` with ``credentials`` and return what they open; see `cambist.ports.exchanges.Exchanges`."""
    line = Line(place, credentials)
    await place.ready()
    await place.measure_clock()
    params = dict(place.quirks.balances)
    began_s = time.monotonic()
    try:
        answer = await line.ask(lambda: line.view.fetch_balance(params), Urgency.ACCOUNT)
    except VenueError as error:
        raise _advice(_scrubbed(error, credentials), place.name, testnet=testnet) from None
    latency_ms = round((time.monotonic() - began_s) * 1000)
    balances = parse.balances(answer)
    return KeyTest(
        rights=await _rights(line, testnet=testnet),
        balances=balances,
        quote=quote,
        values=await _values(place, balances, quote),
        latency_ms=latency_ms,
        clock_ahead_ms=place.exchange.clock.ahead_ms,
    )


async def _values(place: Place, balances: Mapping[str, Balance], quote: str) -> dict[str, Decimal]:
    prices: dict[str, Decimal] = {}
    wanted = [f"{asset}/{quote}" for asset in balances if f"{asset}/{quote}" in place.exchange.markets]
    with suppress(VenueError, NotFound):  # an estimate that cannot be had now is no reason to refuse a key
        prices = await last_prices(place, wanted)
    priced = {asset: prices.get(f"{asset}/{quote}") for asset in balances} | {quote: Decimal(1)}
    return {
        asset: EXACT.multiply(balance.total, price)
        for asset, balance in balances.items()
        if (price := priced[asset]) is not None
    }


# -- rights -----------------------------------------------------------------------------------------------------------


async def _rights(line: Line, *, testnet: bool) -> KeyRights:
    """Return what the key may do. That it may read is proved; the rest is what the exchange says."""
    found = KeyRights(read=Right.YES)
    method, read = _ASKED.get(line.place.name, ("", None))
    if read is None or (testnet and line.place.name in _NOT_ON_TESTNET):
        return found
    try:
        return read(await line.ask(getattr(line.view, method), Urgency.ACCOUNT))
    except VenueUnavailable:
        raise  # whether it may withdraw must not stay open for a lost packet
    except (VenueError, NotFound, LookupError, TypeError, ValueError, AttributeError):
        return found


def _binance(said: Mapping[str, Any]) -> KeyRights:
    return KeyRights(
        read=Right.YES,
        trade=_right(said["enableSpotAndMarginTrading"]),
        withdraw=_right(said["enableWithdrawals"]),
        address_bound=_right(said["ipRestrict"]),
        expires_ms=int(said.get("tradingAuthorityExpirationTime") or 0) or None,
    )


def _kraken(said: Mapping[str, Any]) -> KeyRights:
    told = said["result"]
    return KeyRights(
        read=Right.YES,
        trade=_right("modify-trades" in told["permissions"]),
        withdraw=_right("withdraw-funds" in told["permissions"]),
        address_bound=_right(told["ipAllowlist"]),
        expires_ms=int(told.get("validUntil") or 0) * 1000 or None,
    )


def _bybit(said: Mapping[str, Any]) -> KeyRights:
    told = said["result"]
    may, writes = told["permissions"], int(told["readOnly"]) == 0
    expires = told.get("expiredAt")
    return KeyRights(
        read=Right.YES,
        trade=_right(writes and "SpotTrade" in (may.get("Spot") or ())),
        withdraw=_right(writes and "Withdraw" in (may.get("Wallet") or ())),
        address_bound=_right(told.get("ips") not in (None, [], ["*"])),
        expires_ms=round(datetime.fromisoformat(expires).timestamp() * 1000) if expires else None,
    )


def _okx(said: Mapping[str, Any]) -> KeyRights:
    told = said["data"][0]
    may = told["perm"].split(",")
    return KeyRights(
        read=Right.YES,
        trade=_right("trade" in may),
        withdraw=_right("withdraw" in may),
        address_bound=_right(told.get("ip")),
    )


def _bitget(said: Mapping[str, Any]) -> KeyRights:
    told = said["data"]
    may = told["authorities"]
    return KeyRights(
        read=Right.YES,
        trade=_right(any(word in may for word in ("stow", "trade"))),
        withdraw=_right(any(word in may for word in ("wwow", "withdraw"))),
        address_bound=_right(told.get("ips")),
    )


def _coinbase(said: Mapping[str, Any]) -> KeyRights:
    return KeyRights(read=Right.YES, trade=_right(said["can_trade"]), withdraw=_right(said["can_transfer"]))


def _right(said: object) -> Right:
    return Right.YES if said else Right.NO


_ASKED: dict[str, tuple[str, Reader]] = {
    "binance": ("sapiGetAccountApiRestrictions", _binance),
    "kraken": ("privatePostGetApiKeyInfo", _kraken),
    "bybit": ("privateGetV5UserQueryApi", _bybit),
    "okx": ("privateGetAccountConfig", _okx),
    "bitget": ("privateSpotGetV2SpotAccountInfo", _bitget),
    "coinbase": ("v3PrivateGetBrokerageKeyPermissions", _coinbase),
}
"""By exchange: the method of ccxt's implicit interface that asks what a key may do, and what its answer means."""

_NOT_ON_TESTNET = ("binance",)


# -- what is wrong ----------------------------------------------------------------------------------------------------

_WORDS: tuple[tuple[str, str, str], ...] = (
    (r"Invalid API-key, IP, or permissions|-2008|-2015", "api_key", "brokers.key_or_address"),
    (r"50101|40099|\benvironment\b", "api_key", "brokers.other_world"),
    (r"50110|40018|10010|unmatched ip|\bip\b.{0,20}(not|invalid|mismatch|whitelist)|invalid ip",
     "api_key", "brokers.wrong_address"),
    (r"33004|key.{0,12}expired|expired.{0,12}key", "api_key", "brokers.key_expired"),
    (r"passphrase|50105|40012|40011|apikey/password", "password", "brokers.wrong_password"),
    (r"-1022|\bsign(ature)?\b|50113|10004|4000[39]|40010|incorrect padding|base64", "secret", "brokers.wrong_secret"),
)  # fmt: skip
"""Words of the exchanges: the part of the credentials that they mean, and what to do."""

_KINDS: dict[str, str] = {
    "InvalidNonce": "brokers.clock",
    "PermissionDenied": "brokers.no_right",
    "AccountNotEnabled": "brokers.account_closed",
    "AccountSuspended": "brokers.account_closed",
    "RestrictedLocation": "brokers.restricted",
}
"""Classes of ccxt that say what is in the way, be the key right or wrong."""


def _scrubbed(error: VenueError, credentials: Credentials) -> VenueError:
    """Take the credentials out of ``error``, should the exchange have repeated them."""
    for name, value in error.params.items():
        text = str(value)
        for secret in filter(None, astuple(credentials)):
            text = text.replace(secret, "***")
        if text != str(value):
            error.params[name] = text
    return error


def _advice(error: VenueError, venue: str, *, testnet: bool) -> CambistError:
    """Return what a person can do about ``error``; what has nothing to do with the key comes back as it was."""
    detail = str(error.params.get("detail", ""))
    told = {"venue": venue, "detail": detail, "world": "testnet" if testnet else "live"}
    if any(isinstance(cause, ValueError) for cause in _causes(error)):  # it could not even sign
        return BadInput("secret", "***", "brokers.wrong_secret", **told)
    if not isinstance(error, VenueRefused):
        return error
    for words, field, key in _WORDS:
        if re.search(words, detail, re.IGNORECASE):
            return BadInput(field, "***", key, **told)
    names = list(_names(error))
    for name, key in _KINDS.items():
        if name in names:
            return VenueRefused(key, **told)
    if "AuthenticationError" in names:
        return BadInput("api_key", "***", "brokers.wrong_key", **told)
    return error


def _names(error: BaseException) -> Iterable[str]:
    return (kind.__name__ for cause in _causes(error) for kind in type(cause).__mro__)


def _causes(error: BaseException) -> Iterable[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__
