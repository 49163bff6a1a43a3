"""What commands share on the command line: how moments and timeframes are written, and the options that name a market.

A wrong value raises `BadInput`, so that people read one voice, in their language, from every command.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from math import isfinite
from pathlib import Path
from typing import Any

import click

from cambist.domain.errors import BadInput
from cambist.domain.moment import show_moment
from cambist.domain.text import say
from cambist.domain.timeframe import Timeframe

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def reason(error: OSError) -> str:
    """Return in the system's own words why a port, an address or a file cannot be had."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic only in click's newest
    """A date or date-time in ISO 8601, read as UTC unless it names an offset; gives int ms since the epoch."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the moment in ms; raise `BadInput` with an example of what would be right."""
        return value if isinstance(value, int) else parse_moment(str(value), param.opts[0] if param else None)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """Return how a moment is written, for the help text."""
        return say("options.moment.metavar")


class TimeframeType(click.ParamType):  # type: ignore[type-arg]
    """A candle's length, such as ``15m`` or ``1d``."""

    name = "timeframe"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Timeframe:
        """Return the timeframe; raise `BadInput` naming the known ones."""
        return Timeframe.parse(str(value))


class ReportFile(click.ParamType):  # type: ignore[type-arg]
    """A file to write a report to: where none can be written is told before the work, not after it."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path; raise `BadInput` if no file can be written there."""
        path = Path(value)
        try:
            new = not path.exists()
            path.open("ab").close()  # as it is, if it is there
            if new:
                path.unlink()
        except OSError as error:
            field = param.opts[0] if param is not None else "--report"
            raise BadInput(field, str(value), "options.report.known", why=reason(error)) from None
        return path


class FiniteRange(click.FloatRange):
    """A number within bounds; nan, which no bound stops, and infinity will not do."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; raise `BadInput` if it is none that can be counted with."""
        number = float(super().convert(value, param, ctx))
        if not isfinite(number):
            raise BadInput(param.opts[0] if param is not None else "number", str(value), "number.needed")
        return number


def parse_moment(text: str, field: str | None = None) -> int:
    """Return the ISO date or date-time ``text`` as ms since the epoch; a date alone is its midnight, UTC.

    Raises `BadInput`, naming ``field``, for anything else and for moments before 1970.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        moment = None
    if moment is not None:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        if moment >= _EPOCH:
            return (moment - _EPOCH) // _MILLISECOND
    raise BadInput(field or "moment", text, "options.moment.known") from None


def need_span(since: int | None, until: int | None) -> None:
    """Raise `BadInput` if what was asked for ends before it begins."""
    if since is not None and until is not None and until <= since:
        raise BadInput("--until", show_moment(until), "download.span", since=show_moment(since))


def market_arguments(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give ``command`` the arguments ``VENUE SYMBOL TIMEFRAME`` (str, str, Timeframe)."""
    for argument in (
        click.argument("timeframe", type=TimeframeType(), metavar="TIMEFRAME"),
        click.argument("symbol", metavar="SYMBOL"),
        click.argument("venue", metavar="VENUE"),
    ):
        command = argument(command)
    return command


def venue_option(**settings: Any) -> Decorator:
    """Return the option ``--venue`` (str); ``settings`` go to click (``required``, ``default``, ``multiple``)."""
    return click.option("--venue", metavar="VENUE", **{"help": say("options.venue"), **settings})


def symbol_option(**settings: Any) -> Decorator:
    """Return the option ``--symbol`` (str); ``settings`` go to click."""
    return click.option("--symbol", metavar="SYMBOL", **{"help": say("options.symbol"), **settings})


def timeframe_option(**settings: Any) -> Decorator:
    """Return the option ``--timeframe`` (`Timeframe`); ``settings`` go to click."""
    return click.option(
        "--timeframe",
        type=TimeframeType(),
        metavar="TIMEFRAME",
        **{"help": say("options.timeframe", known=" ".join(Timeframe)), **settings},
    )


def since_option(**settings: Any) -> Decorator:
    """Return the option ``--since`` (int ms or None): the first moment wanted."""
    return click.option("--since", type=Moment(), **{"help": say("options.since"), **settings})


def until_option(**settings: Any) -> Decorator:
    """Return the option ``--until`` (int ms or None): the end, itself not included."""
    return click.option("--until", type=Moment(), **{"help": say("options.until"), **settings})


def cost_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give ``command`` the options of money, costs and rules, by the names that `cambist.backtest` gives them.

    A volume share of 0 means no limit: `costs` makes it None.
    """
    for name, default in (
        ("pyramiding", 1),
        ("volume_share", 0.1),
        ("spread_bps", 0.0),
        ("slippage_bps", 5.0),
        ("maker_fee_bps", None),
        ("fee_bps", 10.0),
        ("cash", 10_000.0),
    ):
        command = click.option(
            f"--{name.replace('_', '-')}",
            type=int if name == "pyramiding" else float,
            default=default,
            show_default=default is not None,
            help=say(f"backtest.option.{name}"),
        )(command)
    return click.option("--limit-touch", is_flag=True, help=say("backtest.option.limit_touch"))(command)


def costs(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `cost_options` gave as `cambist.backtest` takes it."""
    return {**given, "volume_share": given["volume_share"] or None}


def named_values(texts: Iterable[str]) -> dict[str, str]:
    """Return ``fast=10 slow=20`` (or ``fast=10,slow=20``) as a dictionary; raise `BadInput`."""
    pairs = [pair for text in texts for pair in text.split(",")]
    for pair in pairs:
        if "=" not in pair:
            raise BadInput("--set", pair, "backtest.set_form")
    return dict(pair.split("=", 1) for pair in pairs)


def address(text: str, option: str) -> tuple[str, int]:
    """Return the host and the port in ``text``; raise `BadInput` naming the ``option`` that it was given with."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise BadInput(option, text, "up.address")
    return host.strip("[]"), int(port)
