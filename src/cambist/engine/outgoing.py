"""What the heartbeat sends: its signals first, then candles and raw messages on the bus, and its record to the log.

A signal leaves as soon as its candle closes; nothing else is sent, and nothing written, while one waits.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

from cambist.domain.errors import BusFailed, StorageFailed
from cambist.domain.signal import Signal
from cambist.market.backoff import wait_s
from cambist.ports.bus import CANDLES, HEARTBEAT, RAW, TICKS, Bus
from cambist.ports.clock import Clock
from cambist.ports.heartbeat_log import HeartbeatLog, SignalRow

_SETTLED_S = 0.5  # after a signal, before it is written down
_TICKS_S = 0.25
"""How often a price is told at most (of our time, however fast the market's goes)."""
_MOST_RAW = 2_000
_MOST_ROWS = 100_000


class Outgoing:
    """Takes what one ``source`` has to say; `publish`, `publish_raw` and `keep_records` run for as long as it does.

    ``note`` is told of failures.
    """

    def __init__(self, bus: Bus, log: HeartbeatLog, clock: Clock, source: str, note: Callable[[str], None]) -> None:
        self._bus, self._log, self._clock, self._source, self._note = bus, log, clock, source, note
        self._thread: ThreadPoolExecutor | None = None
        self._signals: deque[Signal] = deque()
        self._candles: deque[dict[str, Any]] = deque()
        self._ready = asyncio.Event()
        self.calm = asyncio.Event()
        """Set while neither a signal nor a candle waits to be sent."""
        self.calm.set()
        self._raw: deque[tuple[str, int]] = deque(maxlen=_MOST_RAW)
        self._raw_ready = asyncio.Event()
        self._prices: dict[str, Decimal] = {}
        """Last prices that are not told yet, by symbol."""
        self.raw_dropped = 0
        """Raw messages that nobody could take in time."""
        self._unwritten: deque[Signal] = deque(maxlen=_MOST_ROWS)
        self._to_tell: deque[tuple[Callable[..., None], tuple[object, ...]]] = deque(maxlen=_MOST_ROWS)
        self._log_ready = asyncio.Event()

    def signal(self, signal: Signal) -> None:
        """Send ``signal``, and its candle later."""
        self._signals.append(signal)
        self.calm.clear()
        self._ready.set()

    def heard(self, text: str, received_ms: int) -> None:
        """Pass on a raw message, unless too many wait already: then the oldest is dropped."""
        self.raw_dropped += len(self._raw) == _MOST_RAW
        self._raw.append((text, received_ms))
        self._raw_ready.set()

    def price(self, symbol: str, price: Decimal) -> None:
        """Tell the last price of ``symbol``, soon."""
        self._prices[symbol] = price

    def tell(self, saying: Callable[..., None], *words: object) -> None:
        """Have the log told something, soon: the heart does not wait for it."""
        self._to_tell.append((saying, words))
        self._log_ready.set()

    async def publish(self) -> None:
        """Send the signals, and the candles when no signal waits."""
        while True:
            if self._signals:
                signal = self._signals.popleft()
                message = signal.message()
                await self._send(HEARTBEAT, message)
                about = {name: message[name] for name in ("venue", "symbol", "timeframe", "candle", "repaired")}
                self._candles.append({"id": f"{message['id']}:candle"} | about)
                self._unwritten.append(signal)
                self._log_ready.set()
            elif self._candles:
                await self._send(CANDLES, self._candles.popleft())
            else:
                self.calm.set()
                self._ready.clear()
                await self._ready.wait()

    async def publish_raw(self, named: str) -> None:
        """Send the raw messages, as ``named`` and a number, when nothing else waits."""
        number = 0
        while True:
            self._raw_ready.clear()
            while self._raw:
                text, received_ms = self._raw.popleft()
                number += 1
                try:
                    await self._bus.publish(RAW, {"id": f"{named}:{number}", "received_ms": received_ms, "text": text})
                except BusFailed as error:
                    self._note(str(error))
                    self.raw_dropped += 1
                await self.calm.wait()
            await self._raw_ready.wait()

    async def publish_ticks(self, venue: str) -> None:
        """Send the last prices at ``venue`` that have changed, when nothing else waits; what is not sent is past."""
        while True:
            await asyncio.sleep(_TICKS_S)
            await self.calm.wait()
            prices, self._prices = self._prices, {}
            now_ms = self._clock.now_ms()
            for symbol, price in prices.items():
                tick = {"id": f"{venue}:{symbol}:tick:{now_ms}", "venue": venue, "symbol": symbol}
                try:
                    await self._bus.publish(TICKS, tick | {"price": format(price, "f"), "ts": now_ms})
                except BusFailed as error:
                    self._note(str(error))
                    break

    async def keep_records(self) -> None:
        """Write down what was sent."""
        tries = 0
        while True:
            self._log_ready.clear()
            if await self._write():
                tries = 0
                await self._log_ready.wait()
                # whoever writes holds the interpreter for milliseconds: not while candles are closing
                await self._clock.sleep(_SETTLED_S)
            else:
                tries += 1
                await self._clock.sleep(wait_s(tries, seed=self._source))

    async def close(self) -> None:
        """Write what is still to be written, once."""
        await self._write()
        if self._thread is not None:
            self._thread.shutdown(wait=False)
            self._thread = None

    async def _send(self, topic: str, message: dict[str, Any]) -> None:
        """Publish; a bus that fails is tried until it works: nothing later may overtake."""
        tries = 0
        while True:
            try:
                await self._bus.publish(topic, message)
            except BusFailed as error:
                tries += 1
                self._note(str(error))
                await self._clock.sleep(wait_s(tries, seed=topic))
            else:
                return

    async def _write(self) -> bool:
        """Write what is new; False if the log does not obey: it is kept for another time, and the heart beats on."""
        try:
            while self._to_tell:
                saying, words = self._to_tell[0]
                await self._in_the_thread(saying, *words)
                self._to_tell.popleft()
            while self._unwritten:
                signals = list(self._unwritten)
                await self._in_the_thread(self._record, signals)
                for signal in signals:  # unless there were so many that it has been dropped meanwhile
                    if self._unwritten and self._unwritten[0] is signal:
                        self._unwritten.popleft()
        except StorageFailed as error:
            self._note(str(error))
            return False
        return True

    def _record(self, signals: list[Signal]) -> None:
        self._log.record([_row(signal) for signal in signals])

    async def _in_the_thread(self, saying: Callable[..., None], *words: object) -> None:
        """Call the log. All calls share one thread: one that outlives its task still comes before the next."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="heartbeat-log")
        await asyncio.get_running_loop().run_in_executor(self._thread, saying, *words)


def _row(signal: Signal) -> SignalRow:
    return SignalRow(
        received_ms=signal.received_ms,
        candle_ms=signal.candle.ts,
        close_ms=signal.close_ms,
        timeframe=signal.timeframe,
        symbol=signal.symbol,
        venue=signal.venue,
        source=signal.source,
        repaired=signal.repaired,
        signal_id=signal.signal_id,
        open=signal.candle.open,
        high=signal.candle.high,
        low=signal.candle.low,
        close=signal.candle.close,
        volume=signal.candle.volume,
    )
