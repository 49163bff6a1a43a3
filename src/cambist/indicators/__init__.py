"""Indicators: one file, one indicator; a pure function over float64 arrays with its card.

``indicators.rsi(close, 14)``; ``indicators.catalog()`` lists all cards. A file is imported when first asked for.
"""

import sys
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from cambist.indicators._card import Card, Indicator, Param

__all__ = ["Card", "Indicator", "Param", "catalog", "find", "names"]


@cache
def names() -> tuple[str, ...]:
    """Return the names of all indicators, sorted."""
    return tuple(sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_")))


def find(name: str) -> Indicator[..., Any]:
    """Return the indicator called ``name``; raise AttributeError if there is none."""
    if name.startswith("_") or name not in names():
        raise AttributeError(f"no indicator {name!r}; there are: {' '.join(names())}")
    function: Indicator[..., Any] = getattr(import_module(f"{__name__}.{name}"), name)
    return function


def catalog() -> tuple[Card, ...]:
    """Return the card of every indicator, by name."""
    return tuple(find(name).card for name in names())


def __getattr__(name: str) -> Any:
    return find(name)


def __dir__() -> list[str]:
    return [*globals(), *names()]


class _Catalog(ModuleType):
    """This package, in which an imported file is known by the function that it holds."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, getattr(value, name, value) if isinstance(value, ModuleType) else value)


sys.modules[__name__].__class__ = _Catalog
