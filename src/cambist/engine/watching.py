"""Prices between candles: guards that rest at no venue and the equity breaker see each, and none is journaled that
moves nothing. Once a minute the venue itself is asked for the price of what is held, whatever the feed does, and for
its time."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from cambist.domain.event import Seen
from cambist.domain.exact import EXACT
from cambist.domain.position import ZERO
from cambist.engine.lane import Lane, Loop
from cambist.ports.venue import Venue

MINUTE_MS = 60_000

_CLOCK = ""
"""Stands where a symbol does, when a venue is asked for its time."""


class Watch:
    """Who of one loop holds what, and what it is worth now. Kept for the accounts that an event has concerned."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._holders: dict[str, dict[str, Lane]] = {}
        """By symbol and account: who holds a position."""
        self._held: dict[str, frozenset[str]] = {}
        self.holding: dict[str, Lane] = {}
        """By account: those that hold anything. Only they can have a deadline."""
        self._notional: dict[str, Decimal] = {}
        self._of_user: dict[int, Decimal] = {}
        self._skew_ms: dict[str, int] = {}
        """By venue's name: our clock less its."""
        self._asking: set[tuple[str, str]] = set()
        self._asked_ms: int | None = None

    # -- prices -------------------------------------------------------------------------------------------------------

    def price(self, symbol: str, price: Decimal, venue: str | None = None) -> None:
        """Show ``price`` to the accounts (at ``venue``) that hold ``symbol``."""
        now = self._loop.now_ms()
        for lane in list(self._holders.get(symbol, {}).values()):
            if venue is not None and lane.venue.name != venue:
                continue
            lane.latest[symbol] = price
            for touched in lane.account.touched(symbol, price, now):
                self._loop.tell(lane, touched)
            if lane.account.moves_breaker(lane.latest, now):
                self.see(lane, now, {symbol: price})

    def see(self, lane: Lane, ts: int, prices: Mapping[str, Decimal]) -> None:
        """Put into the queue what is known of market and venue at ``ts`` (ms), of which ``prices`` are of now."""
        spec = lane.account.spec
        own = self._notional.get(spec.id, ZERO)
        seen = Seen(
            ts,
            tuple(prices.items()),
            venue_ready=lane.ready,
            clock_skew_ms=self._skew_ms.get(lane.venue.name, 0),
            marks=tuple((symbol, price) for symbol, price in lane.latest.items() if symbol not in prices),
            elsewhere=EXACT.subtract(self._of_user.get(spec.user_id, ZERO), own),
        )
        self._loop.tell(lane, seen)

    # -- who holds what -----------------------------------------------------------------------------------------------

    def stands(self, lane: Lane) -> None:
        """Take note of how an account stands after events."""
        account = lane.account
        seats = account.seats.values()
        # an order by hand that must be cancelled once more waits for its time as a position does; the margin of a
        # short by hand goes with its price
        watched = (one for one in seats if one.bot.position or one.again_ms or (one.by_hand and account.held(one) < 0))
        self._holds(lane, frozenset(seat.spec.symbol for seat in watched))
        self._is_worth(lane, sum((account.notional(seat) for seat in seats), ZERO))

    def forget(self, lane: Lane) -> None:
        """Drop an account that has left."""
        self._holds(lane, frozenset())
        self._is_worth(lane, ZERO)

    def _holds(self, lane: Lane, symbols: frozenset[str]) -> None:
        name = lane.account.spec.id
        before = self._held.get(name, frozenset())
        if symbols == before:
            return
        for symbol in before - symbols:
            self._holders[symbol].pop(name)
            lane.latest.pop(symbol, None)
            if not self._holders[symbol]:
                del self._holders[symbol]
        for symbol in symbols - before:
            self._holders.setdefault(symbol, {})[name] = lane
        if symbols:
            self._held[name], self.holding[name] = symbols, lane
        else:
            del self._held[name], self.holding[name]

    def _is_worth(self, lane: Lane, notional: Decimal) -> None:
        spec = lane.account.spec
        before = self._notional.pop(spec.id, ZERO)
        if notional:
            self._notional[spec.id] = notional
        if notional != before:
            change = EXACT.subtract(notional, before)
            self._of_user[spec.user_id] = EXACT.add(self._of_user.get(spec.user_id, ZERO), change)

    # -- once a minute ------------------------------------------------------------------------------------------------

    def tick(self, lanes: Iterable[Lane]) -> None:
        """Ask venues for prices and time, if the last time was a minute ago."""
        now = self._loop.now_ms()
        if self._asked_ms is not None and now - self._asked_ms < MINUTE_MS:
            return
        self._asked_ms = now
        venues: dict[tuple[str, str], Venue] = {(lane.venue.name, _CLOCK): lane.venue for lane in lanes}
        for symbol, holders in self._holders.items():
            venues |= {(lane.venue.name, symbol): lane.venue for lane in holders.values()}
        for (name, symbol), venue in venues.items():
            if (name, symbol) not in self._asking:  # one that does not answer is not asked twice at a time
                self._asking.add((name, symbol))
                self._loop.start(None, self._ask(name, symbol, venue))

    async def _ask(self, name: str, symbol: str, venue: Venue) -> None:
        try:
            if symbol == _CLOCK:
                await self._ask_time(name, venue)
            else:
                self.price(symbol, await venue.price(symbol), name)
        except Exception as error:  # noqa: BLE001 - counted, and asked again in a minute
            self._loop.measures.failed(name, error)
        finally:
            self._asking.discard((name, symbol))

    async def _ask_time(self, name: str, venue: Venue) -> None:
        before = self._loop.now_ms()
        theirs = await venue.clock_ms()
        self._skew_ms[name] = (before + self._loop.now_ms()) // 2 - theirs
        self._loop.measures.skewed(name, self._skew_ms[name])
