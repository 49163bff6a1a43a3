"""What exchanges list: fetched anew in the background when somebody asks for it, and told as it goes on."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from cambist.domain.errors import BadInput, BusFailed, CambistError
from cambist.domain.record import record
from cambist.domain.text import say
from cambist.ports.bus import EXCHANGES, Bus
from cambist.ports.exchanges import Exchanges
from cambist.ports.symbols import Symbols

_log = logging.getLogger(__name__)

_ASKED, _CAME, _DONE = 5, 80, 100
_REST_MS = 10_000
"""Symbols that came not longer ago are fresh, whoever asks again."""
_RUNNING, _ENDED, _FAILED = "running", "done", "failed"


@record(kw_only=True)
class Refresh:
    """How far the refresh of one exchange's symbols is. ``percent`` and ``count`` stand still once it has ended."""

    exchange: str
    testnet: bool
    status: str
    """``running``, ``done``, ``failed``."""
    percent: int
    count: int
    """How many symbols there are now."""
    asked_ms: int
    ended_ms: int | None = None
    error: CambistError | None = None


class Listings:
    """Refreshes symbols; lives in one event loop. Each exchange is refreshed once at a time."""

    def __init__(self, exchanges: Exchanges, symbols: Symbols, bus: Bus, now_ms: Callable[[], int]) -> None:
        self._exchanges = exchanges
        self._symbols = symbols
        self._bus = bus
        self._now_ms = now_ms
        self._known: dict[tuple[str, bool], Refresh] = {}
        self._tasks: dict[tuple[str, bool], asyncio.Task[None]] = {}

    def refresh(self, exchange: str, *, testnet: bool = False) -> Refresh:
        """Begin to fetch the symbols of ``exchange`` anew, unless that goes on or they are fresh; say how far it is.

        Raises `BadInput` if there is no such exchange; the symbols of the made-up market come from whoever plays it.
        """
        if not self._exchanges.knows(exchange):
            raise BadInput("exchange", exchange, "markets.no_exchange")
        name = (exchange, testnet)
        if name not in self._tasks and not self._fresh(name):
            self._known[name] = Refresh(
                exchange=exchange, testnet=testnet, status=_RUNNING, percent=0, count=0, asked_ms=self._now_ms()
            )
            task = self._tasks[name] = asyncio.create_task(self._run(name))
            task.add_done_callback(lambda _: self._tasks.pop(name, None))
        return self._known[name]

    def _fresh(self, name: tuple[str, bool]) -> bool:
        last = self._known.get(name)
        return last is not None and last.status == _ENDED and self._now_ms() - (last.ended_ms or 0) < _REST_MS

    def refreshes(self) -> list[Refresh]:
        """Return the last refresh of each exchange since this process began, by exchange."""
        return [self._known[name] for name in sorted(self._known)]

    async def settled(self) -> None:
        """Return when no refresh is going on."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def close(self) -> None:
        """End what is going on: the old symbols stay."""
        for task in list(self._tasks.values()):
            task.cancel()
        await self.settled()

    async def _run(self, name: tuple[str, bool]) -> None:
        exchange, testnet = name
        try:
            await self._tell(name, percent=_ASKED)
            found = await self._exchanges.listings(exchange, testnet=testnet)
            await self._tell(name, percent=_CAME, count=len(found))
            await asyncio.to_thread(self._symbols.replace, exchange, testnet, found, self._now_ms())
            await self._tell(name, status=_ENDED, percent=_DONE, ended_ms=self._now_ms())
        except CambistError as error:
            _log.warning("%s", error)
            await self._tell(name, status=_FAILED, ended_ms=self._now_ms(), error=error)
        except Exception:  # noqa: BLE001 - whoever asked must see that it is over, and the log says why
            _log.exception("the symbols of %s", exchange)
            broke = CambistError("listings.broke", exchange=exchange)
            await self._tell(name, status=_FAILED, ended_ms=self._now_ms(), error=broke)

    async def _tell(self, name: tuple[str, bool], **news: object) -> None:
        now = self._known[name] = replace(self._known[name], **news)  # type: ignore[arg-type]
        message = {
            "id": f"{now.exchange}{'-testnet' if now.testnet else ''}:{now.asked_ms}:{now.status}:{now.percent}",
            "ts": self._now_ms(),
            "exchange": now.exchange,
            "testnet": now.testnet,
            "status": now.status,
            "percent": now.percent,
            "count": now.count,
            "error": "" if now.error is None else say(now.error.key, **now.error.params),
        }
        with suppress(BusFailed):  # it can be asked for as well
            await self._bus.publish(EXCHANGES, message)
