"""An area of the API: its addresses, and how their functions are called."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import cached_property, partial, wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from fastapi import APIRouter
from fastapi.params import Depends
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

PREFIX = "/api/v1"

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_THREADS = ThreadPoolExecutor(40, thread_name_prefix="route")
"""Where what blocks is done: many, because some wait for a jail or an exchange."""
_beside: ContextVar[bool] = ContextVar("beside", default=False)
"""Whether the database is a file beside us, as ``app.state.beside`` says."""


def quick(function: F) -> F:
    """Mark a function that asks for few rows, by their index, and for nothing else: it is called by `at_once`."""
    return quick_if(lambda _: True)(function)


def quick_if(few: Callable[[Mapping[str, Any]], bool]) -> Callable[[F], F]:
    """Mark a function that is `quick` if ``few`` says so of its arguments: filtered, a list may look at every row."""

    def marked(function: F) -> F:
        function.quick = few  # type: ignore[attr-defined]
        return function

    return marked


async def at_once(work: Callable[[], T]) -> T:
    """Return what ``work`` gives, which asks for few rows, by their index, and for nothing else.

    Where the database is a file beside us, no thread is woken: the way there and back costs more than the answer, and
    under load several times more. What a server has to answer is waited for in a thread, as ever.
    """
    return work() if _beside.get() else await _in_thread(work)


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_THREADS, copy_context().run, work)


class Area(APIRouter):
    """The addresses below ``prefix``, or, without one, of several that belong together."""

    def __init__(self, prefix: str = "", *, tags: list[str], dependencies: Sequence[Depends] = ()) -> None:
        super().__init__(prefix=prefix, tags=list(tags), dependencies=dependencies, route_class=_Route)

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
        super().__init__(path, endpoint if iscoroutinefunction(endpoint) else _called(endpoint), **how)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        _beside.set(getattr(scope["app"].state, "beside", False))
        await super().handle(scope, receive, send)


def _called(function: Callable[..., Any]) -> Callable[..., Any]:
    few = getattr(function, "quick", None)

    @wraps(function)
    async def called(**given: Any) -> Any:
        call = at_once if few is not None and few(given) else _in_thread
        return await call(partial(function, **given))

    return called
