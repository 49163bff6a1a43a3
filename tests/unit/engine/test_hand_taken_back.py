"""Orders by hand that people take back are taken back, whatever becomes of the first attempt."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.engine.rooms import BTC, Room, instrument, room

from cambist.domain.event import AccountEvent, HandCancelled, HandOrdered, TradingChanged
from cambist.domain.order import OrderType, Side
from cambist.domain.trading import TradingState
from cambist.execution.orders import Life


@pytest.mark.parametrize(
    "take_back",
    [
        lambda now, name: HandCancelled(now, 2, name),
        lambda now, name: TradingChanged(now, TradingState.HALTED),
    ],
    ids=["cancelled", "halted"],
)
def test_a_cancel_that_got_no_answer_is_sent_again(tmp_path: Path, take_back: Callable[[int, str], AccountEvent]):
    async def work() -> None:
        async with room(tmp_path) as floor:
            lane = await floor.add(symbols=())
            await floor.pass_time(3)
            name = await ordered(floor, lane)
            venue, calls = floor.venues["paper"], []
            real = venue.cancel

            async def cancel(symbol: str, client_id: str):
                calls.append(client_id)
                if len(calls) == 1:
                    raise TimeoutError
                return await real(symbol, client_id)

            venue.cancel = cancel  # type: ignore[method-assign]
            await floor.engine.put(lane, take_back(floor.clock.now_ms(), name))
            await floor.pass_time(60, 5)
            assert calls == [name, name]
            assert lane.account.orders[name].life is Life.CANCELLED
            assert floor.exchange.open_orders("paper") == []
            seat = lane.account.seats[f"hand:{BTC}"]
            assert (seat.leaving, seat.again_ms) == ([], 0)

    asyncio.run(work())


async def ordered(floor: Room, lane) -> str:
    price = instrument(BTC).tick_size * 9_000
    floor.engine.see(lane, floor.clock.now_ms(), {BTC: price * 2})
    order = HandOrdered(
        ts=floor.clock.now_ms(),
        request=1,
        instrument=instrument(BTC),
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity=instrument(BTC).lot_step * 100_000,
        price=price,
    )
    out = await floor.engine.put(lane, order)
    await floor.settled()
    (request,) = out.requests()
    return request.client_id
