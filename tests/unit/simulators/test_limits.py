"""Weights, bans, keys, signatures and timestamps."""

import pytest
from tests.unit.simulators.boxes import NOW, Refusal, ask, box, order, price

from cambist.simulators.binance.refusals import Refused
from cambist.simulators.binance.weights import DAY, DEPTH, OPEN_ORDERS, Limiter, Limits, TooMuch, weight_of

MINUTE = 60_000 * 1_000


@pytest.mark.parametrize(
    ("weight", "params", "expected"),
    [
        (DEPTH, {}, 5),
        (DEPTH, {"limit": "500"}, 25),
        (DEPTH, {"limit": "5000"}, 250),
        (DEPTH, {"limit": "1704067200000"}, 250),
        (DAY, {"symbol": "BTCUSDT"}, 2),
        (DAY, {}, 80),
        (OPEN_ORDERS, {}, 80),
        (OPEN_ORDERS, {"symbol": "BTCUSDT"}, 6),
    ],
)
def test_weights_are_those_of_the_documents(weight, params, expected):
    assert weight_of(weight, params) == expected


def test_too_much_is_429_until_the_minute_ends_then_a_ban_that_grows():
    limiter = Limiter(Limits(weight=10, patience=2))
    limiter.take(MINUTE + 1_000, 10)
    for _ in range(2):
        with pytest.raises(TooMuch) as refused:
            limiter.take(MINUTE + 1_000, 1)
        assert (refused.value.status, refused.value.retry_after) == (429, 59)
    with pytest.raises(TooMuch) as banned:
        limiter.take(MINUTE + 1_000, 1)
    assert (banned.value.status, banned.value.retry_after) == (418, 120)
    with pytest.raises(TooMuch):
        limiter.take(MINUTE + 120_000, 1)
    limiter.take(MINUTE + 121_000, 10)
    assert limiter.used == 10
    for _ in range(3):
        with pytest.raises(TooMuch) as again:
            limiter.take(MINUTE + 121_000, 1)
    assert (again.value.status, again.value.retry_after) == (418, 240)


def test_orders_are_counted_apart():
    limiter = Limiter(Limits(orders=2))
    for _ in range(2):
        limiter.take(MINUTE, 1, orders=1)
    with pytest.raises(TooMuch) as refused:
        limiter.take(MINUTE + 1, 1, orders=1)
    assert (refused.value.code, refused.value.retry_after) == (-1015, 10)
    limiter.take(MINUTE + 2, 1)
    limiter.take(MINUTE + 10_000, 1, orders=1)
    assert isinstance(refused.value, Refused)


def test_orders_are_counted_by_the_day_too():
    limiter = Limiter(Limits(orders_a_day=2))
    day = 86_400_000
    limiter.take(7 * day, 1, orders=1)
    limiter.take(7 * day + 20_000, 1, orders=1)
    told = limiter.headers(orders=True)
    assert (told["X-MBX-ORDER-COUNT-10S"], told["X-MBX-ORDER-COUNT-1D"]) == ("1", "2")
    with pytest.raises(TooMuch) as refused:
        limiter.take(8 * day - 5_000, 1, orders=1)
    assert (refused.value.code, refused.value.retry_after) == (-1015, 5)
    limiter.take(8 * day, 1, orders=1)


def test_a_client_reads_of_its_weight_and_of_its_limits():
    with box(limits=Limits(weight=30, patience=0)) as server:
        ask(server, "GET account")
        with pytest.raises(Refusal) as refused:
            ask(server, "GET account")
        assert refused.value.status == 418
        assert refused.value.headers["Retry-After"] == "120"
        assert server.server.limiter.headers(orders=False)["X-MBX-USED-WEIGHT-1M"] == "40"


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"key": None}, 401, -2014),
        ({"key": "other"}, 401, -2015),
        ({"secret": "other"}, 400, -1022),
        ({"secret": ""}, 400, -1102),
        ({"timestamp": NOW - 6_000}, 400, -1021),
        ({"timestamp": NOW + 1_500}, 400, -1021),
        ({"recvWindow": 60_001}, 400, -1131),
    ],
)
def test_who_asks_is_checked(given, status, code):
    with box() as server:
        with pytest.raises(Refusal) as refused:
            ask(server, "GET account", **given)
        assert (refused.value.status, refused.value.code) == (status, code)
        assert ask(server, "GET account", recvWindow=10_000, timestamp=NOW - 9_000)["canTrade"] is True


def test_a_request_that_is_changed_under_way_is_not_taken():
    with box() as server:
        with pytest.raises(Refusal) as refused:
            ask(
                server,
                "POST order",
                secret="",
                symbol="BTCUSDT",
                side="BUY",
                type="MARKET",
                quantity="1",
                signature="00",
                timestamp=NOW,
            )
        assert refused.value.code == -1022
        assert server.exchange.orders("alice", "BTC/USDT") == []
        assert order(server, "BUY", "LIMIT", price=price(server, "0.9"))["status"] == "NEW"
