"""An area of the API: its addresses, and how their functions are called."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cached_property, partial, wraps
from inspect import iscoroutinefunction
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

PREFIX = "/api/v1"

_THREADS = ThreadPoolExecutor(40, thread_name_prefix="route")
"""Where what blocks is done: many, because some wait for a jail or an exchange."""


class Area(APIRouter):
    """The addresses below ``prefix``, or, without one, of several that belong together."""

    def __init__(self, prefix: str = "", *, tags: list[str]) -> None:
        super().__init__(prefix=prefix, tags=list(tags), route_class=_Route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether an address is one of this area's: with a hundred routes, asking each in turn was half of what a
        request cost."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        return super().matches(scope) if _first(path.removeprefix(PREFIX)) in self._firsts else (Match.NONE, {})

    @cached_property
    def _firsts(self) -> frozenset[str]:
        return frozenset(_first(getattr(route, "path", "")) for route in self.routes)


def _first(path: str) -> str:
    """Return what stands before the second slash."""
    return path[1:].partition("/")[0]


class _Route(APIRoute):
    """Calls a function that blocks in a thread, once: the framework goes to another one with what it answered."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **how: Any) -> None:
        super().__init__(path, endpoint if iscoroutinefunction(endpoint) else _in_a_thread(endpoint), **how)


def _in_a_thread(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def called(**given: Any) -> Any:
        work = partial(copy_context().run, partial(function, **given))
        return await asyncio.get_running_loop().run_in_executor(_THREADS, work)

    return called
