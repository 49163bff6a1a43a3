"""Answers that many want at once: asked for once, and given again for a moment."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

_MOST = 2_000


class SharedAnswers:
    """Lives in one event loop. An answer is given again for ``lives_ms`` after it came; an error is not."""

    def __init__(self, now_ms: Callable[[], int], lives_ms: int) -> None:
        self._now_ms = now_ms
        self._lives_ms = lives_ms
        self._asked: dict[Hashable, asyncio.Task[Any]] = {}
        self._came_ms: dict[Hashable, int] = {}

    async def get(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the answer under ``key``; whoever wants it while it is asked for waits for the same one.

        One who goes away does not stop it for the others.
        """
        task = self._asked.get(key)
        if task is None or self._over(key, task):
            self._tidy()
            task = self._asked[key] = asyncio.ensure_future(self._answer(key, ask))
            task.add_done_callback(_noticed)
        answer: T = await asyncio.shield(task)
        return answer

    async def _answer(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        answer = await ask()
        self._came_ms[key] = self._now_ms()
        return answer

    def _over(self, key: Hashable, task: "asyncio.Task[Any]") -> bool:
        if not task.done():
            return False
        failed = task.cancelled() or task.exception() is not None
        return failed or not 0 <= self._now_ms() - self._came_ms[key] < self._lives_ms

    def _tidy(self) -> None:
        if len(self._asked) >= _MOST:
            for key in [key for key, task in self._asked.items() if self._over(key, task)]:
                del self._asked[key]
                self._came_ms.pop(key, None)


def _noticed(task: "asyncio.Task[Any]") -> None:
    """Look at an error that nobody waits for any more: it is no news for the log."""
    if not task.cancelled():
        task.exception()
