"""The markets that move the exchange: what they hand out, when orders act, and who waits for whom."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.backtest.made import HOUR, START, of_bars, rules

from cambist.adapters.clock import AcceleratedClock, SteppedClock
from cambist.adapters.venues.simulated.fan import BACKLOG, Fan
from cambist.adapters.venues.simulated.market import MirroredMarket, SimulatedMarket
from cambist.adapters.venues.simulated.venue import SimulatedVenue
from cambist.domain.errors import NotFound
from cambist.domain.instrument import Kind
from cambist.domain.order import OrderType, Side
from cambist.domain.report import Connection, FillReport, Report, Status
from cambist.domain.tick import CandleTick, FeedStatus, Tick, TradeTick
from cambist.domain.timeframe import Timeframe
from cambist.market.exchange import Exchange
from cambist.market.matching import Costs
from cambist.market.series import build
from cambist.ports.feed import Raw
from cambist.ports.venue import OrderRequest

D = Decimal
SYMBOL = "BTC/USDT"
BARS = [(100, 101, 99, 100), (102, 103, 101, 102), (104, 110, 95, 105), (106, 107, 105, 106)]


def exchange(**costs: Any) -> Exchange:
    kwargs: dict[str, Any] = {"maker_fee_bps": 0, "taker_fee_bps": 0, "slippage_bps": 0, "volume_share": None, **costs}
    ours = Exchange([rules(Kind.SPOT, symbol=symbol) for symbol in (SYMBOL, "ETH/USDT")], Costs(**kwargs), by_law=True)
    ours.add_account("me", {"USDT": D(10_000), "BTC": D(5)})
    return ours


def ask(side: Side, kind: OrderType = OrderType.MARKET, *, name: str, **how: Any) -> OrderRequest:
    return OrderRequest(client_id=name, symbol=SYMBOL, side=side, type=kind, quantity=D(1), **how)


async def collect(stream: AsyncIterator[Tick], into: list[Tick], ready: asyncio.Event) -> None:
    async for tick in stream:
        into.append(tick)
        ready.set()


async def played(market: SimulatedMarket | MirroredMarket, symbols: Iterable[str] = (SYMBOL,)) -> list[Tick]:
    """Run a market to its end and return its ticks."""
    ticks: list[Tick] = []
    ready = asyncio.Event()
    task = asyncio.create_task(collect(market.ticks(symbols), ticks, ready))
    await ready.wait()
    await market.run()
    await task
    return ticks


# -- candles ----------------------------------------------------------------------------------------------------------


def test_each_candle_is_handed_out_as_it_opens_and_as_it_closes_closes_before_opens():
    series = [of_bars(BARS[:2], symbol="ETH/USDT"), of_bars(BARS[:2])]
    market = SimulatedMarket(exchange(), SteppedClock(START), series)
    ticks = asyncio.run(played(market, (SYMBOL, "ETH/USDT")))
    assert ticks[0] == FeedStatus(up=True, ts=START)
    told = [(tick.symbol[:3], tick.ts - START, tick.closed) for tick in ticks[1:] if isinstance(tick, CandleTick)]
    assert told == [
        ("BTC", 0, False), ("ETH", 0, False),
        ("BTC", 0, True), ("ETH", 0, True), ("BTC", HOUR, False), ("ETH", HOUR, False),
        ("BTC", HOUR, True), ("ETH", HOUR, True),
    ]  # fmt: skip
    opening, closing = ticks[1], ticks[3]
    assert isinstance(opening, CandleTick)
    assert isinstance(closing, CandleTick)
    assert (opening.open, opening.high, opening.close, opening.volume) == (D("100.0"), D("100.0"), D("100.0"), 0)
    assert (closing.open, closing.high, closing.low, closing.close) == (D("100.0"), D("101.0"), D("99.0"), D("100.0"))
    assert closing.volume == D("1000.0")


def test_what_is_raw_is_told_as_text_of_the_whole_tick():
    async def body() -> list[str]:
        market = SimulatedMarket(exchange(), SteppedClock(START), [of_bars(BARS[:1])])
        texts: list[str] = []
        ready = asyncio.Event()
        task = asyncio.create_task(collect(market.ticks([SYMBOL], lambda text, ms: texts.append(text)), [], ready))
        await ready.wait()
        await market.run()
        await task
        return texts

    texts = asyncio.run(body())
    assert len(texts) == 2
    assert all("100.0" in text and json.loads(text) for text in texts)


async def answered(on_close: Callable[[SimulatedVenue, int], Awaitable[None]]) -> list[FillReport]:
    """Play `BARS` in lockstep; ``on_close`` acts at each close, given its number. Return the fills."""
    ours, clock = exchange(), SteppedClock(START)
    venue = SimulatedVenue(ours, "me", clock)
    candles = of_bars(BARS)
    market = SimulatedMarket(ours, clock, [candles], settled=venue.settled)
    ready = asyncio.Event()

    async def follow() -> None:
        async for tick in market.ticks([SYMBOL]):
            ready.set()
            if isinstance(tick, CandleTick) and tick.closed:
                assert clock.now_ms() == tick.ts + HOUR
                await on_close(venue, (tick.ts - START) // HOUR)

    task = asyncio.create_task(follow())
    await ready.wait()
    await market.run()
    await task
    return await venue.fills(SYMBOL, 0)


def test_what_is_decided_on_a_close_fills_at_the_next_open():
    async def act(venue: SimulatedVenue, number: int) -> None:
        if number == 1:
            report = await venue.submit(ask(Side.BUY, name="b"))
            assert report.status is Status.OPEN

    (fill,) = asyncio.run(answered(act))
    assert (fill.ts, fill.price) == (START + 2 * HOUR, D(104))


def test_what_acts_within_a_candle_is_stamped_within_it():
    async def act(venue: SimulatedVenue, number: int) -> None:
        if number == 1:
            await venue.submit(ask(Side.SELL, OrderType.STOP, name="s", trigger=D(96)))

    (fill,) = asyncio.run(answered(act))
    assert (fill.ts, fill.price) == (START + 3 * HOUR - 1, D(96))


def test_through_a_gap_orders_wait_for_the_next_candle():
    early, late = of_bars(BARS[:1]), of_bars(BARS[1:2], start=START + 5 * HOUR)
    columns = {n: [*getattr(early, n), *getattr(late, n)] for n in ("ts", "open", "high", "low", "close", "volume")}

    async def body() -> None:
        ours, clock = exchange(), SteppedClock(START)
        venue = SimulatedVenue(ours, "me", clock)
        candles = build("test", SYMBOL, Timeframe.H1, *columns.values())
        market = SimulatedMarket(ours, clock, [candles], settled=venue.settled)
        ready = asyncio.Event()

        async def follow() -> None:
            async for tick in market.ticks([SYMBOL]):
                ready.set()
                if isinstance(tick, CandleTick) and tick.closed and tick.ts == START:
                    await venue.submit(ask(Side.BUY, name="b"))

        task = asyncio.create_task(follow())
        await ready.wait()
        await market.run()
        await task
        (fill,) = await venue.fills(SYMBOL, 0)
        assert (fill.ts, fill.price) == (START + 5 * HOUR, D(102))

    asyncio.run(body())


def test_history_is_what_has_closed_by_the_clock_in_any_timeframe():
    async def body() -> None:
        clock = SteppedClock(START + 2 * HOUR)
        market = SimulatedMarket(exchange(), clock, [of_bars(BARS)])
        known = await market.candles(SYMBOL, Timeframe.H1, START, START + 100 * HOUR)
        assert known.close.tolist() == [100.0, 102.0]
        two = await market.candles(SYMBOL, Timeframe.H2, START, START + 100 * HOUR)
        assert (two.open.tolist(), two.close.tolist()) == ([100.0], [102.0])
        assert len(await market.candles(SYMBOL, Timeframe.H1, START + HOUR, START + HOUR)) == 0
        assert await market.trades(SYMBOL, 1, 5) == []
        with pytest.raises(NotFound):
            await market.candles("NO/USDT", Timeframe.H1, 0, 1)
        ticks = await played(market)  # what was before the clock is not played
        assert [tick.ts for tick in ticks if isinstance(tick, CandleTick) and tick.closed] == [
            START + 2 * HOUR, START + 3 * HOUR,
        ]  # fmt: skip

    asyncio.run(body())


def test_on_an_accelerated_clock_candles_come_at_their_times():
    async def body() -> None:
        clock = AcceleratedClock(2_000.0, START - 600_000)  # 0.3 s ahead
        market = SimulatedMarket(exchange(), clock, [of_bars(BARS, timeframe=Timeframe.M1)])
        ready = asyncio.Event()
        seen: list[int] = []

        async def follow() -> None:
            async for tick in market.ticks([SYMBOL]):
                ready.set()
                if isinstance(tick, CandleTick):
                    due = tick.ts + (60_000 if tick.closed else 0)
                    seen.append(clock.now_ms() - due)

        task = asyncio.create_task(follow())
        await ready.wait()
        await market.run()
        await task
        assert len(seen) == 8
        assert min(seen) >= 0

    asyncio.run(body())


# -- another venue's market -------------------------------------------------------------------------------------------


class Tape:
    """A feed that says what it is told to, and what the exchange made of it in between."""

    venue = "real"

    def __init__(self, ticks: list[Tick | Callable[[], None]]) -> None:
        self._ticks = ticks

    async def ticks(self, symbols: Iterable[str], raw: Raw | None = None) -> AsyncIterator[Tick]:
        for tick in self._ticks:
            if callable(tick):
                tick()
            else:
                yield tick


def trade(ts: int, price: str, quantity: str = "1") -> TradeTick:
    return TradeTick(symbol=SYMBOL, id=ts, ts=ts, price=D(price), quantity=D(quantity), taker=Side.BUY)


def candle(ts: int, close: str, volume: str, *, closed: bool) -> CandleTick:
    values: dict[str, Any] = {name: D(close) for name in ("open", "high", "low", "close")}
    return CandleTick(symbol=SYMBOL, timeframe=Timeframe.M1, ts=ts, volume=D(volume), closed=closed, **values)


def test_on_a_mirrored_market_orders_act_at_the_prices_of_the_other_venue():
    ours = exchange(volume_share=0.1)
    said: list[Any] = []

    def submit(request: OrderRequest) -> Callable[[], None]:
        return lambda: said.append(ours.submit("me", request).status)

    tape = Tape([
        FeedStatus(up=True, ts=0),
        candle(1, "100", "50", closed=True),
        trade(2, "101", "0.0001"),
        submit(ask(Side.BUY, name="market")),
        submit(ask(Side.SELL, OrderType.STOP, name="stop", trigger=D("99"))),
        trade(3, "99.5", "0.0001"),
        trade(4, "98.75", "0.0001"),
        FeedStatus(up=False, ts=5, why="lost"),
        submit(ask(Side.SELL, name="late")),
        FeedStatus(up=True, ts=6),
        trade(7, "97.5"),
    ])  # fmt: skip
    market = MirroredMarket(ours, SteppedClock(0), tape, [SYMBOL])
    ticks = asyncio.run(played(market))
    assert said == [Status.FILLED, Status.OPEN, Status.OPEN]
    assert [(fill.client_id, fill.price) for fill in ours.fills("me", SYMBOL)] == [
        ("market", D("101")), ("stop", D("98.75")), ("late", D("97.5")),
    ]  # fmt: skip
    assert next(tick for tick in ticks if isinstance(tick, TradeTick)) == trade(2, "101", "0.0001")
    assert [tick.up for tick in ticks if isinstance(tick, FeedStatus)] == [True, True, False, True]


def test_candles_under_way_move_a_mirrored_market_too():
    ours = exchange()
    ours.submit("me", ask(Side.BUY, OrderType.LIMIT, name="dip", price=D("95")))
    tape = Tape([candle(1, "100", "5", closed=False), candle(1, "94", "6", closed=False)])
    asyncio.run(played(MirroredMarket(ours, SteppedClock(0), tape, [SYMBOL])))
    assert [fill.price for fill in ours.fills("me", SYMBOL)] == [D("95")]
    assert ours.price(SYMBOL) == D("94.0")


# -- streams ----------------------------------------------------------------------------------------------------------


def test_a_slow_follower_slows_the_market_and_one_that_leaves_lets_it_go():
    async def body() -> None:
        fan = Fan(SteppedClock(0))
        stream = fan.follow([SYMBOL], None)
        async with aclosing(stream):  # type: ignore[type-var]
            assert isinstance(await anext(stream), FeedStatus)
            handing = asyncio.create_task(hand(fan))
            first = await anext(stream)
            assert first == trade(0, "100")
            for _ in range(5):
                await asyncio.sleep(0)
            assert not handing.done()
        await asyncio.wait_for(handing, 60)
        await asyncio.wait_for(fan.settled(), 60)

    async def hand(fan: Fan) -> None:
        for number in range(BACKLOG + 10):
            await fan.put(trade(number, "100"))

    asyncio.run(body())


def test_settled_waits_until_a_follower_has_come_back_for_more():
    async def body() -> None:
        fan = Fan(SteppedClock(0))
        stream = fan.follow([SYMBOL], None)
        await anext(stream)
        await fan.put(trade(1, "100"))
        assert await anext(stream) == trade(1, "100")
        waiting = asyncio.create_task(fan.settled())
        await asyncio.sleep(0)
        assert not waiting.done()
        following = asyncio.ensure_future(anext(stream))
        await asyncio.wait_for(waiting, 60)
        await fan.end()
        with pytest.raises(StopAsyncIteration):
            await following

    asyncio.run(body())


def test_reports_stream_from_the_connection_on_to_each_listener_until_the_venue_is_closed():
    async def body() -> None:
        ours = exchange()
        ours.at_open(SYMBOL, 1, 100.0, 1e6)
        venue = SimulatedVenue(ours, "me", SteppedClock(7))
        heard: list[list[Report]] = [[], []]
        ready = asyncio.Event(), asyncio.Event()

        async def listen(into: list[Report], begun: asyncio.Event) -> None:
            async for report in venue.reports():
                into.append(report)
                begun.set()

        tasks = [asyncio.create_task(listen(into, begun)) for into, begun in zip(heard, ready, strict=True)]
        for begun in ready:
            await begun.wait()
        assert heard[0] == [Connection(up=True, ts=7)]
        for number in range(500):
            await venue.submit(ask(Side.BUY if number % 2 else Side.SELL, name=f"o{number}"))
        await asyncio.wait_for(venue.settled(), 60)
        assert heard[0] == heard[1]
        assert sum(isinstance(report, FillReport) for report in heard[0]) == 500
        await venue.close()
        await asyncio.wait_for(asyncio.gather(*tasks), 60)

    asyncio.run(body())
