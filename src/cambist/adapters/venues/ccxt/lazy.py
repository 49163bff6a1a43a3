"""One exchange class of ccxt, without importing the hundred others.

``import ccxt`` imports every exchange, and takes twice as long; a program needs one or two. Here the packages
``ccxt``, ``ccxt.async_support`` and ``ccxt.pro`` stand in ``sys.modules`` with their ``__init__`` put off, so that a
submodule can be imported alone. Whoever asks such a package for more than that (``ccxt.exchanges``,
``from ccxt import *``) makes it run its ``__init__`` after all: nobody can tell the difference, save by the time.

This leans on how ccxt lays out its files: ``tests/unit/ccxt/test_lazy.py`` holds it to the classes of a plain import.
"""

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

Flavour = Literal["ccxt", "ccxt.async_support", "ccxt.pro"]
"""Blocking REST, asynchronous REST, asynchronous REST with WebSockets."""

_FLAVOURS: tuple[Flavour, ...] = ("ccxt", "ccxt.async_support", "ccxt.pro")


class _Deferred(ModuleType):
    """A package whose ``__init__`` runs only when somebody needs what only it can give."""

    def __setattr__(self, name: str, value: Any) -> None:
        # The import system sets a submodule as an attribute of its package; ccxt's own __init__ then covers it with
        # the class of the same name. Do likewise: other ccxt files inherit from `ccxt.async_support.binance`.
        if isinstance(value, ModuleType) and isinstance(value.__dict__.get(name), type):
            value = value.__dict__[name]
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in ("__version__", "__all__"):
            raise AttributeError(name)
        if name in venues(self.__name__):
            import_module(f"{self.__name__}.{name}")
            return self.__dict__[name]
        # these two are asked for by ccxt's own files while they load
        if name == "Exchange":
            return import_module(f"{self.__name__}.base.exchange").Exchange
        if hasattr(error_classes(), name):
            return getattr(error_classes(), name)
        self.__class__ = ModuleType  # type: ignore[assignment]  # from here on it is the package it stood for
        assert self.__spec__ is not None
        assert self.__spec__.loader is not None
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def exchange_class(venue: str, flavour: Flavour = "ccxt") -> Any:
    """Return ccxt's class for ``venue``, a name that `venues` lists; raise KeyError for any other name."""
    if venue not in venues(flavour):
        raise KeyError(venue)
    _defer()
    return getattr(sys.modules[flavour], venue)


def error_classes() -> ModuleType:
    """Return the module that holds ccxt's exceptions."""
    _defer()
    return import_module("ccxt.base.errors")


def venues(flavour: str = "ccxt") -> frozenset[str]:
    """Return the names of all exchanges that ccxt knows, without importing them."""
    found = _KNOWN.get(flavour)
    if found is None:
        found = _KNOWN[flavour] = frozenset(
            file.stem
            for file in (_root() / flavour.removeprefix("ccxt").lstrip(".")).glob("*.py")
            if file.stem[0] != "_"
        )
    return found


_KNOWN: dict[str, frozenset[str]] = {}


def _root() -> Path:
    spec = find_spec("ccxt")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _defer() -> None:
    for name in _FLAVOURS:
        if name not in sys.modules:  # else somebody imported the real one: it serves as well
            spec = find_spec(name)
            assert spec is not None
            package = module_from_spec(spec)
            package.__class__ = _Deferred
            sys.modules[name] = package
            parent, _, child = name.rpartition(".")
            if parent:
                setattr(sys.modules[parent], child, package)
