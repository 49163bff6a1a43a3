"""Requests to a venue and its answers as JSON: money as text, errors by their name in our tree."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from cambist.domain import errors
from cambist.domain.errors import CambistError, ParseError, RateLimited
from cambist.domain.instrument import Instrument
from cambist.domain.report import Balance, BalancesReported, Connection, FillReport, OrderReport
from cambist.ports.venue import OrderRequest

ORDERING = frozenset({"submit", "submit_oco", "cancel", "amend"})
"""The methods that may change something at the venue."""

METHODS: dict[str, tuple[tuple[Any, ...], Any]] = {
    "instruments": ((list[str],), dict[str, Instrument]),
    "submit": ((OrderRequest,), OrderReport),
    "submit_oco": ((str, OrderRequest, OrderRequest), tuple[OrderReport, OrderReport]),
    "cancel": ((str, str), OrderReport),
    "amend": ((str, str, Decimal), OrderReport),
    "order": ((str, str), OrderReport),
    "open_orders": ((list[str],), list[OrderReport]),
    "fills": ((str, int), list[FillReport]),
    "balances": ((), dict[str, Balance]),
    "price": ((str,), Decimal),
    "clock_ms": ((), int),
}
"""What each method of `cambist.ports.venue.Venue` takes and gives."""

_REPORTS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (OrderReport, FillReport, BalancesReported, Connection)
}


def to_json(value: Any) -> Any:
    """Return ``value`` (records, money, texts, times, and lists and dicts of them) as JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {name: to_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return value


def from_json(kind: Any, value: Any) -> Any:
    """Return JSON ``value`` as a ``kind``; raise `ParseError` if it is none."""
    try:
        return _read(kind, value)
    except (TypeError, ValueError, KeyError, AttributeError, InvalidOperation) as error:
        raise ParseError("gateway.garbled", start=str(value)[:80]) from error


def report_to_json(report: Any) -> dict[str, Any]:
    """Return a report of a venue's stream as JSON that says of which kind it is."""
    return {"kind": type(report).__name__, "report": to_json(report)}


def report_from_json(message: Mapping[str, Any]) -> Any:
    """Return what `report_to_json` wrote; raise `ParseError`."""
    if message.get("kind") not in _REPORTS:
        raise ParseError("gateway.garbled", start=str(message)[:80])
    return from_json(_REPORTS[str(message["kind"])], message.get("report"))


def error_to_json(error: CambistError) -> dict[str, Any]:
    """Return ``error`` as JSON: its name in the tree, its text key, and what fills the text."""
    params = {name: value if isinstance(value, int | str) else str(value) for name, value in error.params.items()}
    said: dict[str, Any] = {"name": type(error).__name__, "key": error.key, "params": params}
    if isinstance(error, RateLimited):
        said["retry_after_s"] = error.retry_after_s
    return said


def error_from_json(said: Mapping[str, Any]) -> CambistError:
    """Return the error that `error_to_json` wrote; an unknown name becomes its nearest of kin, `VenueError`."""
    kind = getattr(errors, str(said.get("name")), errors.VenueError)
    key, params = str(said["key"]), dict(said.get("params") or {})
    if kind is RateLimited:
        return RateLimited(key, said.get("retry_after_s"), **params)
    if kind not in _PLAIN:
        kind = errors.VenueError
    made: CambistError = kind(key, **params)
    return made


_PLAIN = (
    errors.NotFound,
    errors.OutcomeUnknown,
    errors.ParseError,
    errors.VenueRefused,
    errors.VenueUnavailable,
    errors.VenueError,
)


def _read(kind: Any, value: Any) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return None if value is None else _read(next(one for one in inner if one is not NoneType), value)
    if origin is list:
        return [_read(inner[0], item) for item in value]
    if origin is tuple:
        kinds = [inner[0]] * len(value) if inner[-1] is ... else inner
        return tuple(_read(one, item) for one, item in zip(kinds, value, strict=True))
    if origin is dict:
        return {str(name): _read(inner[1], item) for name, item in value.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _read(hints[name], item) for name, item in value.items()})
    if kind is Decimal:
        if not isinstance(value, str):
            raise TypeError(value)
        return Decimal(value)
    if issubclass(kind, Enum):
        return kind(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(value)
    return value


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)
