"""What every `Venue` keeps to: an adapter's test inherits `VenueContract` and gives ``place``.

The venue may be a process away: nothing is taken to be there at once, conditions are waited for.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, Decimal
from itertools import count
from typing import Any, TypeVar

import pytest

from cambist.domain.errors import NotFound, VenueRefused
from cambist.domain.instrument import Instrument
from cambist.domain.order import OrderType, Side, TimeInForce
from cambist.domain.report import BalancesReported, Connection, FillReport, OrderReport, Report, Status
from cambist.ports.venue import OrderRequest, Venue

D = Decimal
PATIENCE_S = 60.0
T = TypeVar("T")
_ids = count(1)


@dataclass(slots=True)
class Place:
    """A venue before a market that runs, an account that holds enough of base and quote, and the means to try it."""

    venue: Venue
    symbol: str
    price: Decimal
    """At which the market trades now."""
    quantity: Decimal
    """Of a usual order: whole lots, well above the minimums; the account can pay for a hundred and has a hundred."""
    move: Callable[[Decimal], Awaitable[None]]
    """Lets the market trade at a price, with volume enough for every order that waits there."""
    truth: Callable[[], Awaitable[dict[str, Decimal]]]
    """Says what the account holds, by asset, free or locked: the exchange's own books."""
    unknown_symbol: str = "NOSUCH/USDT"
    rules: Instrument = field(init=False)

    def near(self, fraction: str) -> Decimal:
        """Return the price that is ``fraction`` away from the market's, on the tick."""
        tick = self.rules.tick_size
        return (self.price * (1 + D(fraction)) / tick).quantize(D(1), ROUND_DOWN) * tick

    def ask(self, side: Side, kind: OrderType, at: str | None = None, **how: Any) -> OrderRequest:
        """Return a request whose price or trigger is ``at`` (a fraction) away from the market."""
        level = None if at is None else self.near(at)
        values: dict[str, Any] = {
            "client_id": f"t{next(_ids)}",
            "symbol": self.symbol,
            "side": side,
            "type": kind,
            "quantity": self.quantity,
            "price" if kind is OrderType.LIMIT else "trigger": level,
        }
        return OrderRequest(**{**values, **how})

    async def status(self, request: OrderRequest) -> Status:
        return (await self.venue.order(self.symbol, request.client_id)).status

    async def becomes(self, request: OrderRequest, status: Status) -> OrderReport:
        """Wait until the venue says ``status`` of an order, and return its word."""

        async def word() -> OrderReport | None:
            report = await self.venue.order(self.symbol, request.client_id)
            return report if report.status is status else None

        return await eventually(word, f"{request.client_id} is not {status}")

    async def filled(self, request: OrderRequest) -> list[FillReport]:
        """Wait until all of an order's quantity is among the fills, and return those that are its own."""

        async def whole() -> list[FillReport] | None:
            fills = [f for f in await self.venue.fills(self.symbol, 0) if f.client_id == request.client_id]
            return fills if sum((f.quantity for f in fills), D(0)) == request.quantity else None

        return await eventually(whole, f"{request.client_id} has not been filled")


async def eventually(found: Callable[[], Awaitable[T | None]], what: str) -> T:
    """Ask until there is an answer; fail with ``what`` after `PATIENCE_S`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE_S
    while (answer := await found()) is None:
        assert loop.time() < end, what
        await asyncio.sleep(0.01)
    return answer


@asynccontextmanager
async def listening(venue: Venue) -> AsyncIterator[list[Report]]:
    """Give a list that grows by what the venue reports, from its first `Connection` on."""
    heard: list[Report] = []
    open_ = asyncio.Event()

    async def listen() -> None:
        async for report in venue.reports():
            heard.append(report)
            open_.set()

    task = asyncio.create_task(listen())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await open_.wait()
        yield heard
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def heard_of(heard: list[Report], request: OrderRequest, status: Status) -> OrderReport:
    async def told() -> OrderReport | None:
        for report in heard:
            if isinstance(report, OrderReport) and (report.client_id, report.status) == (request.client_id, status):
                return report
        return None

    return await eventually(told, f"the stream did not say that {request.client_id} is {status}")


BUY, SELL = Side.BUY, Side.SELL
LIMIT, MARKET, STOP = OrderType.LIMIT, OrderType.MARKET, OrderType.STOP


class VenueContract:
    """Inherit and give `place`: an async context with a new account, on spot, at a price of three digits or more."""

    def place(self) -> AbstractAsyncContextManager[Place]:
        raise NotImplementedError

    def hold(self, body: Callable[[Place], Awaitable[None]]) -> None:
        """Run ``body`` with a place of its own."""

        async def run() -> None:
            async with self.place() as place:
                place.rules = (await place.venue.instruments([place.symbol]))[place.symbol]
                await body(place)
                await place.venue.close()

        asyncio.run(run())

    # -- the market ---------------------------------------------------------------------------------------------------

    def test_the_rules_of_an_instrument_are_told(self):
        async def body(place: Place) -> None:
            assert place.rules.symbol == place.symbol
            assert place.rules.tick_size > 0
            assert place.rules.lot_step > 0
            assert place.quantity % place.rules.lot_step == 0
            with pytest.raises(NotFound):
                await place.venue.instruments([place.unknown_symbol])

        self.hold(body)

    def test_price_and_time_are_told(self):
        async def body(place: Place) -> None:
            assert await place.venue.price(place.symbol) == place.price
            first = await place.venue.clock_ms()
            assert await place.venue.clock_ms() >= first > 0
            await place.move(place.near("0.01"))

            async def moved() -> bool | None:
                return await place.venue.price(place.symbol) == place.near("0.01") or None

            await eventually(moved, "the price did not follow the market")

        self.hold(body)

    # -- orders that wait ---------------------------------------------------------------------------------------------

    @pytest.mark.parametrize(("side", "away"), [(BUY, "-0.03"), (SELL, "0.03")])
    def test_a_limit_away_from_the_market_waits_locks_and_can_be_taken_back(self, side, away):
        async def body(place: Place) -> None:
            before = await place.venue.balances()
            request = place.ask(side, LIMIT, away)
            report = await place.venue.submit(request)
            assert (report.client_id, report.status, report.filled) == (request.client_id, Status.OPEN, D(0))
            asked = await place.venue.order(place.symbol, request.client_id)
            assert (asked.side, asked.type, asked.quantity, asked.price) == (
                side, LIMIT, request.quantity, request.price,
            )  # fmt: skip
            assert [order.client_id for order in await place.venue.open_orders()] == [request.client_id]
            asset = place.rules.quote if side is BUY else place.rules.base
            needed = request.quantity * (request.price if side is BUY and request.price else 1)
            balance = (await place.venue.balances())[asset]
            assert needed <= balance.locked - before[asset].locked <= needed * D("1.01")
            assert balance.total == before[asset].total
            ended = await place.venue.cancel(place.symbol, request.client_id)
            assert ended.client_id == request.client_id
            await place.becomes(request, Status.CANCELLED)
            assert await place.venue.open_orders() == []
            assert await place.venue.balances() == before
            assert await place.venue.fills(place.symbol, 0) == []

        self.hold(body)

    @pytest.mark.parametrize(("side", "away", "through"), [(BUY, "-0.01", "-0.02"), (SELL, "0.01", "0.02")])
    def test_a_limit_fills_at_its_price_or_better_once_the_market_has_gone_through(self, side, away, through):
        async def body(place: Place) -> None:
            request = place.ask(side, LIMIT, away)
            await place.venue.submit(request)
            await place.move(place.near(through))
            await place.becomes(request, Status.FILLED)
            for fill in await place.filled(request):
                assert request.price is not None
                assert (fill.price - request.price) * side.sign <= 0
                assert (fill.symbol, fill.side) == (place.symbol, side)
            assert await place.venue.open_orders() == []

        self.hold(body)

    def test_a_limit_that_must_fill_at_once_or_go_goes(self):
        async def body(place: Place) -> None:
            request = place.ask(BUY, LIMIT, "-0.02", time_in_force=TimeInForce.IOC)
            await place.venue.submit(request)
            report = await place.becomes(request, Status.EXPIRED)
            assert report.filled == 0
            assert await place.venue.open_orders() == []

        self.hold(body)

    def test_a_stop_waits_and_sells_once_the_market_falls_to_it(self):
        async def body(place: Place) -> None:
            if not place.venue.traits.stops:
                pytest.skip("the venue has no stops")
            request = place.ask(SELL, STOP, "-0.02")
            await place.venue.submit(request)
            await place.move(place.near("-0.01"))
            assert await place.status(request) is Status.OPEN
            assert (await place.venue.order(place.symbol, request.client_id)).trigger == request.trigger
            await place.move(place.near("-0.021"))
            await place.becomes(request, Status.FILLED)
            assert all(fill.side is SELL for fill in await place.filled(request))

        self.hold(body)

    def test_a_stop_that_the_market_is_beyond_is_refused_or_sells_but_does_not_lie_there(self):
        async def body(place: Place) -> None:
            if not place.venue.traits.stops:
                pytest.skip("the venue has no stops")
            request = place.ask(SELL, STOP, "0.01")
            try:
                await place.venue.submit(request)
            except VenueRefused:
                assert await place.venue.open_orders() == []
            else:
                await place.move(place.price)
                await place.filled(request)

        self.hold(body)

    def test_the_trigger_of_a_stop_can_be_moved(self):
        async def body(place: Place) -> None:
            if not place.venue.traits.amend:
                pytest.skip("the venue cannot amend")
            request = place.ask(SELL, STOP, "-0.03")
            await place.venue.submit(request)
            tighter = place.near("-0.01")
            assert (await place.venue.amend(place.symbol, request.client_id, tighter)).trigger == tighter
            await place.move(place.near("-0.011"))
            await place.becomes(request, Status.FILLED)
            with pytest.raises(NotFound):
                await place.venue.amend(place.symbol, "tunknown", tighter)

        self.hold(body)

    # -- one of two ---------------------------------------------------------------------------------------------------

    def oco(self, place: Place) -> tuple[OrderRequest, OrderRequest]:
        if not place.venue.traits.oco:
            pytest.skip("the venue has no OCO")
        return place.ask(SELL, STOP, "-0.02"), place.ask(SELL, OrderType.TAKE_PROFIT, "0.02")

    @pytest.mark.parametrize(("to", "winner"), [("-0.021", 0), ("0.021", 1)])
    def test_of_stop_and_target_one_fills_and_the_other_ends(self, to, winner):
        async def body(place: Place) -> None:
            legs = self.oco(place)
            before = await place.truth()
            reports = await place.venue.submit_oco(f"l{next(_ids)}", *legs)
            assert [report.client_id for report in reports] == [leg.client_id for leg in legs]
            assert {order.client_id for order in await place.venue.open_orders()} == {leg.client_id for leg in legs}
            locked = (await place.venue.balances())[place.rules.base].locked
            assert locked == place.quantity, "the two legs lock once"
            await place.move(place.near(to))
            await place.becomes(legs[winner], Status.FILLED)
            await place.filled(legs[winner])

            async def over() -> bool | None:
                return (await place.status(legs[1 - winner])).final or None

            await eventually(over, "the other leg lives on")
            assert await place.status(legs[1 - winner]) in (Status.CANCELLED, Status.EXPIRED)
            after = await place.truth()
            assert before[place.rules.base] - after[place.rules.base] == place.quantity

        self.hold(body)

    @pytest.mark.parametrize("taken", [0, 1])
    def test_one_leg_taken_back_takes_the_other_with_it(self, taken):
        async def body(place: Place) -> None:
            legs = self.oco(place)
            await place.venue.submit_oco(f"l{next(_ids)}", *legs)
            await place.venue.cancel(place.symbol, legs[taken].client_id)
            for leg in legs:
                await place.becomes(leg, Status.CANCELLED)
            assert (await place.venue.balances())[place.rules.base].locked == 0

        self.hold(body)

    def test_a_pair_that_the_venue_will_not_have_leaves_neither(self):
        async def body(place: Place) -> None:
            legs = self.oco(place)
            before = await place.venue.balances()
            stop, target = (replace(leg, quantity=place.quantity * 1_000) for leg in legs)
            with pytest.raises(VenueRefused):
                await place.venue.submit_oco(f"l{next(_ids)}", stop, target)
            assert await place.venue.open_orders() == []
            assert await place.venue.balances() == before

        self.hold(body)

    # -- orders at the market -----------------------------------------------------------------------------------------

    @pytest.mark.parametrize("side", [BUY, SELL])
    def test_a_market_order_fills_and_balances_follow_to_the_digit(self, side):
        async def body(place: Place) -> None:
            before = await place.truth()
            request = place.ask(side, MARKET)
            await place.venue.submit(request)
            await place.becomes(request, Status.FILLED)
            owed = dict(before)
            for fill in await place.filled(request):
                owed[place.rules.base] += side.sign * fill.quantity
                owed[place.rules.quote] -= side.sign * fill.quantity * fill.price
                owed[fill.fee_asset] -= fill.fee
                assert abs(fill.price / place.price - 1) < D("0.05")
            assert await place.truth() == owed
            told = await place.venue.balances()
            assert {asset: told[asset].total for asset in owed} == owed
            assert all(told[asset].locked == 0 for asset in owed)

        self.hold(body)

    # -- what goes wrong ----------------------------------------------------------------------------------------------

    def test_an_order_that_cannot_be_paid_is_refused_in_the_venue_s_words_and_leaves_no_trace(self):
        async def body(place: Place) -> None:
            before = await place.venue.balances()
            for request in (
                place.ask(BUY, LIMIT, "-0.01", quantity=place.quantity * 1_000),
                place.ask(SELL, LIMIT, "0.01", quantity=place.quantity * 1_000),
            ):
                with pytest.raises(VenueRefused) as refused:
                    await place.venue.submit(request)
                assert any(f"insufficient {what}" in str(refused.value).lower() for what in ("balance", "funds"))
                with pytest.raises(NotFound):
                    await place.venue.order(place.symbol, request.client_id)
            assert await place.venue.open_orders() == []
            assert await place.venue.balances() == before

        self.hold(body)

    def test_an_order_that_breaks_the_rules_is_refused(self):
        async def body(place: Place) -> None:
            tick, lot = place.rules.tick_size, place.rules.lot_step
            for request in (
                place.ask(BUY, LIMIT, price=place.near("-0.01") + tick / 2),
                place.ask(BUY, LIMIT, "-0.01", quantity=place.quantity + lot / 2),
                place.ask(BUY, LIMIT, "-0.01", quantity=D(0)),
            ):
                with pytest.raises(VenueRefused) as refused:
                    await place.venue.submit(request)
                assert str(refused.value)
            assert await place.venue.open_orders() == []

        self.hold(body)

    def test_a_client_id_names_one_order_for_ever_so_that_asking_twice_orders_once(self):
        async def body(place: Place) -> None:
            request = place.ask(BUY, LIMIT, "-0.02")
            first = await place.venue.submit(request)
            with suppress(VenueRefused):
                assert (await place.venue.submit(request)).venue_id == first.venue_id
            assert len(await place.venue.open_orders()) == 1
            await place.move(place.near("-0.03"))
            fills = await place.filled(request)
            assert sum(fill.quantity for fill in fills) == request.quantity

        self.hold(body)

    def test_what_the_venue_does_not_know_is_not_found(self):
        async def body(place: Place) -> None:
            with pytest.raises(NotFound):
                await place.venue.order(place.symbol, "tunknown")
            with pytest.raises(NotFound):
                await place.venue.cancel(place.symbol, "tunknown")

        self.hold(body)

    def test_a_cancel_that_comes_too_late_says_what_became_of_the_order(self):
        async def body(place: Place) -> None:
            request = place.ask(BUY, MARKET)
            await place.venue.submit(request)
            await place.becomes(request, Status.FILLED)
            report = await place.venue.cancel(place.symbol, request.client_id)
            assert (report.client_id, report.status, report.filled) == (
                request.client_id, Status.FILLED, request.quantity,
            )  # fmt: skip

        self.hold(body)

    def test_a_second_cancel_finds_the_first(self):
        async def body(place: Place) -> None:
            request = place.ask(BUY, LIMIT, "-0.02")
            await place.venue.submit(request)
            await place.venue.cancel(place.symbol, request.client_id)
            await place.becomes(request, Status.CANCELLED)
            assert (await place.venue.cancel(place.symbol, request.client_id)).status is Status.CANCELLED

        self.hold(body)

    # -- what the venue pushes ----------------------------------------------------------------------------------------

    def test_the_stream_opens_with_a_connection_and_tells_each_fill_and_end(self):
        async def body(place: Place) -> None:
            async with listening(place.venue) as heard:
                first = heard[0]
                assert isinstance(first, Connection)
                assert first.up
                market, waiting = place.ask(BUY, MARKET), place.ask(BUY, LIMIT, "-0.03")
                crossed = place.ask(SELL, LIMIT, "0.01")
                for request in (market, waiting, crossed):
                    await place.venue.submit(request)
                await heard_of(heard, waiting, Status.OPEN)
                await place.venue.cancel(place.symbol, waiting.client_id)
                await place.move(place.near("0.02"))
                await heard_of(heard, market, Status.FILLED)
                await heard_of(heard, waiting, Status.CANCELLED)
                await heard_of(heard, crossed, Status.FILLED)
                for request in (market, crossed):
                    await place.filled(request)
                asked = {fill.trade_id: fill for fill in await place.venue.fills(place.symbol, 0)}

                async def told() -> dict[str, FillReport] | None:
                    found = {report.trade_id: report for report in heard if isinstance(report, FillReport)}
                    return found if found.keys() == asked.keys() else None

                streamed = await eventually(told, "stream and query do not tell the same fills")
                for trade_id, fill in asked.items():
                    other = streamed[trade_id]
                    assert (fill.client_id, fill.price, fill.quantity, fill.fee, fill.fee_asset, fill.liquidity) == (
                        other.client_id, other.price, other.quantity, other.fee, other.fee_asset, other.liquidity,
                    )  # fmt: skip

                async def balanced() -> bool | None:
                    last: dict[str, Decimal] = {}
                    for report in heard:
                        if isinstance(report, BalancesReported):
                            last.update({balance.asset: balance.total for balance in report.balances})
                    truth = await place.truth()
                    both = (place.rules.base, place.rules.quote)
                    return all(last.get(asset) == truth[asset] for asset in both) or None

                await eventually(balanced, "the balances told are not those held")

        self.hold(body)

    def test_fills_are_complete_each_once_oldest_first_and_from_the_time_asked_for(self):
        async def body(place: Place) -> None:
            requests = [place.ask(BUY if i % 2 else SELL, MARKET) for i in range(9)]
            for request in requests:
                await place.venue.submit(request)
            for request in requests:
                await place.filled(request)
            fills = await place.venue.fills(place.symbol, 0)
            assert len({fill.trade_id for fill in fills}) == len(fills) >= 9
            assert {fill.client_id for fill in fills} == {request.client_id for request in requests}
            assert [fill.ts for fill in fills] == sorted(fill.ts for fill in fills)
            last = fills[-1].ts
            assert await place.venue.fills(place.symbol, last) == [fill for fill in fills if fill.ts >= last]
            assert await place.venue.fills(place.symbol, last + 60_000) == []

        self.hold(body)

    # -- all at once --------------------------------------------------------------------------------------------------

    def test_many_requests_at_once_do_not_mix(self):
        async def body(place: Place) -> None:
            requests = [place.ask(BUY, LIMIT, f"-0.0{2 + i % 7}") for i in range(20)]
            reports = await asyncio.gather(*(place.venue.submit(request) for request in requests))
            for request, report in zip(requests, reports, strict=True):
                assert (report.client_id, report.price) == (request.client_id, request.price)
            open_orders = {order.client_id: order.price for order in await place.venue.open_orders()}
            assert open_orders == {request.client_id: request.price for request in requests}
            ended = await asyncio.gather(*(place.venue.cancel(place.symbol, one.client_id) for one in requests))
            assert [report.client_id for report in ended] == [request.client_id for request in requests]
            assert await place.venue.open_orders() == []

        self.hold(body)
