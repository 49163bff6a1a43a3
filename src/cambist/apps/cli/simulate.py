"""``cambist simulate``: exchanges in a box, for trying programs without a real account."""

import asyncio
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cambist.apps import bootstrap
from cambist.apps.cli.options import FiniteRange, Moment, reason
from cambist.domain.candles import Candles
from cambist.domain.errors import BadInput, NotFound, StorageFailed
from cambist.domain.instrument import Instrument
from cambist.domain.moment import show_moment
from cambist.domain.text import say
from cambist.domain.timeframe import DAY_MS, MINUTE_MS, Timeframe

if TYPE_CHECKING:
    from cambist.simulators.serving import Serving

_DIALECTS = {"binance": "Binance", "kraken": "Kraken"}
_SECRETS = {"binance": "cambist", "kraken": "Y2FtYmlzdA=="}  # Kraken's are base64
_SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
_BALANCES = ("USDT=100000", "BTC=1", "ETH=10")
_HISTORY_DAYS, _AHEAD_DAYS = 3, 7
_MOST = 400_000  # candles per symbol


@click.group(help=say("box.help"))
def command() -> None:
    """Hold the commands of the simulators together."""


@command.command("exchange", help=say("box.exchange.help"))
@click.option(
    "--dialect", default="binance", show_default=True, help=say("box.option.dialect", known=" ".join(_DIALECTS))
)
@click.option("--host", default="127.0.0.1", show_default=True, help=say("box.option.host"))
@click.option("--port", type=click.IntRange(0, 65_535), default=9090, show_default=True, help=say("box.option.port"))
@click.option("--market", default="synthetic", show_default=True, help=say("box.option.market"))
@click.option("--symbol", "symbols", multiple=True, help=say("box.option.symbol", known=" ".join(_SYMBOLS)))
@click.option("--since", type=Moment(), help=say("box.option.since"))
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True, help=say("box.option.seed"))
@click.option("--speed", type=FiniteRange(0.01, 10_000), default=1.0, show_default=True, help=say("box.option.speed"))
@click.option("--faults", type=click.Path(path_type=Path), metavar="FILE", help=say("box.option.faults"))
@click.option("--key", default="cambist", show_default=True, help=say("box.option.key"))
@click.option("--secret", help=say("box.option.secret", binance=_SECRETS["binance"], kraken=_SECRETS["kraken"]))
@click.option("--balance", "balances", multiple=True, help=say("box.option.balance", known=" ".join(_BALANCES)))
def exchange(
    dialect: str,
    host: str,
    port: int,
    market: str,
    symbols: tuple[str, ...],
    since: int | None,
    seed: int,
    speed: float,
    faults: Path | None,
    key: str,
    secret: str | None,
    balances: tuple[str, ...],
) -> None:
    """Serve an exchange until Ctrl-C; say where, and with which key."""
    from cambist.simulators.clock import Clock
    from cambist.simulators.faults import read_faults
    from cambist.simulators.market import Customer

    if dialect not in _DIALECTS:
        raise BadInput("--dialect", dialect, "box.known", known=" ".join(_DIALECTS))
    server_of, secret = _spoken(dialect, secret or _SECRETS[dialect])
    script, dice = read_faults(faults) if faults is not None else ([], seed)
    start_ms = int(time.time() * 1000) if since is None and market == "synthetic" else since
    series, rules = _market(market, dialect, symbols or _SYMBOLS, start_ms, seed, speed)
    start_ms = _half_way(series) if start_ms is None else start_ms
    server = server_of(
        series,
        customers=[Customer(key=key, secret=secret, balances=_balances(balances or _BALANCES))],
        instruments=rules,
        clock=Clock(start_ms, speed),
        faults=script,
        seed=dice,
        host=host,
        port=port,
    )
    told = {"exchange": _DIALECTS[dialect], "key": key, "secret": secret}
    asyncio.run(_serve(server, port, told | {"moment": show_moment(start_ms - start_ms % MINUTE_MS)}))


def _spoken(dialect: str, secret: str) -> "tuple[Callable[..., Serving], str]":
    """Return what makes the server that speaks ``dialect``, and the secret, checked."""
    if dialect == "binance":
        from cambist.simulators.binance import ExchangeServer

        return ExchangeServer, secret
    from cambist.simulators.kraken import KrakenServer, is_secret

    if not is_secret(secret):
        raise BadInput("--secret", secret, "box.secret")
    return KrakenServer, secret


async def _serve(server: "Serving", port: int, told: dict[str, str]) -> None:
    try:
        url = await server.start()
    except OSError as error:
        raise BadInput("--port", str(port), "box.port_taken", why=reason(error)) from None
    click.echo(say("box.serving", url=url, **told))
    stopped = asyncio.Event()
    with suppress(NotImplementedError):  # Windows ends the loop with KeyboardInterrupt instead
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    try:
        await stopped.wait()
    finally:
        await server.stop()
        click.echo(say("box.stopped", requests=server.requests, struck=len(server.struck)))


def _market(
    market: str, dialect: str, symbols: tuple[str, ...], start_ms: int | None, seed: int, speed: float
) -> tuple[list[Candles], list[Instrument]]:
    """Return candles of one minute, and the rules that are known."""
    if market == "synthetic":
        from cambist.market.synthetic import synthetic_market, synthetic_rules

        assert start_ms is not None
        ahead = min(_MOST, int(_AHEAD_DAYS * speed * DAY_MS / MINUTE_MS))
        first = start_ms - _HISTORY_DAYS * DAY_MS
        count = _HISTORY_DAYS * DAY_MS // MINUTE_MS + ahead
        made = synthetic_market(symbols, start_ms=first, count=count, timeframe=Timeframe.M1, seed=seed)
        return list(made.values()), [synthetic_rules(series, dialect) for series in made.values()]
    if market != "lake" and not market.startswith("lake:"):
        raise BadInput("--market", market, "box.known", known="synthetic lake lake:VENUE")
    venue = market.partition(":")[2] or dialect
    lake = bootstrap.lake()
    found, rules = [], []
    for symbol in symbols:
        candles = lake.read(venue, symbol, Timeframe.M1)
        if not len(candles):
            raise NotFound("box.no_candles", venue=venue, symbol=symbol)
        found.append(candles)
        with suppress(NotFound, StorageFailed):
            known = lake.instrument(venue, symbol)
            rules += [] if known is None else [known]
    return found, rules


def _half_way(series: list[Candles]) -> int:
    return int(min(candles.ts[len(candles) // 2] for candles in series))


def _balances(wishes: tuple[str, ...]) -> dict[str, Decimal]:
    found = {}
    for wish in wishes:
        asset, _, amount = wish.partition("=")
        try:
            found[asset.upper()] = Decimal(amount)
        except InvalidOperation:
            raise BadInput("--balance", wish, "box.balance") from None
        if not asset or not found[asset.upper()].is_finite() or found[asset.upper()] < 0:
            raise BadInput("--balance", wish, "box.balance")
    return found
