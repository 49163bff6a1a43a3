"""The server in a thread of its own, for tests and drills that block."""

import asyncio
import threading
from collections import deque
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from cambist.domain.candles import Candles
from cambist.domain.instrument import Instrument
from cambist.market.exchange import Exchange
from cambist.simulators.binance.server import ExchangeServer, Served
from cambist.simulators.clock import Clock
from cambist.simulators.faults import Fault, Struck

T = TypeVar("T")


class BinanceSimulator:
    """An `ExchangeServer` over ``candles`` (one series per symbol) that serves while its ``with`` block lasts.

    Its clock stands at ``now_ms`` (default: where the last candle closes) until it is set or moved with `advance`:
    candles that open later do not exist yet, the one that it lies in is unfinished. A ``clock`` of one's own may be
    given instead. ``more`` goes to the `ExchangeServer`.
    """

    def __init__(
        self,
        *candles: Candles,
        faults: Sequence[Fault] = (),
        instruments: Sequence[Instrument] = (),
        now_ms: int | None = None,
        clock: Clock | None = None,
        **more: Any,
    ) -> None:
        last = max((c.timeframe.close_of(int(c.ts[-1])) for c in candles if len(c)), default=0)
        self.server = ExchangeServer(
            candles,
            faults=faults,
            instruments=instruments,
            clock=clock or Clock(now_ms or last, speed=0),
            **more,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="binance-simulator", daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        self.url = self.run(self.server.start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self.server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` on the server's loop and return what it gives."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def advance(self, ms: int) -> None:
        """Let ``ms`` pass; return when all messages about it have been sent."""
        self.run(self.server.advance(ms))

    @property
    def now_ms(self) -> int:
        """The exchange's time."""
        return self.server.clock.now_ms()

    @now_ms.setter
    def now_ms(self, ms: int) -> None:
        self.server.clock.set(ms)

    @property
    def exchange(self) -> Exchange:
        """The matching engine: what has truly happened. Read it while nothing is asked of the server."""
        return self.server.exchange

    @property
    def served(self) -> deque[Served]:
        """What was asked last, in order."""
        return self.server.served

    @property
    def faults(self) -> list[Fault]:
        """The faults in force."""
        return self.server.faults

    @faults.setter
    def faults(self, faults: Sequence[Fault]) -> None:
        self.server.faults = list(faults)

    @property
    def struck(self) -> list[Struck]:
        """Which faults have come about, in order."""
        return self.server.struck

    def requests(self, path: str = "/api/v3/klines") -> list[Served]:
        """Return what was served at ``path``, in order."""
        return [served for served in self.served if served.path == path]
