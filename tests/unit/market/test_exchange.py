"""The exchange's own part, on numbers worked out by hand: money, locks, pairs, who is woken. Fills are the law's."""

import sys
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.backtest.made import rules

from cambist.domain.errors import BadInput, NotFound, VenueRefused
from cambist.domain.instrument import Kind
from cambist.domain.order import OrderType, Side
from cambist.domain.report import Balance, BalancesReported, FillReport, OrderReport, Report, Status
from cambist.market.exchange import Exchange
from cambist.market.matching import Costs
from cambist.market.order_rules import judge_size
from cambist.market.wake import WakeLevels
from cambist.ports.venue import OrderRequest

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
MARKET, LIMIT, STOP, TARGET = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.TAKE_PROFIT
SPOT, PERPETUAL = "AAA/USDT", "AAA/USDT:USDT"
COSTS: dict[str, Any] = {"maker_fee_bps": 10.0, "taker_fee_bps": 20.0, "slippage_bps": 0.0, "volume_share": None}


def exchange(costs: dict[str, Any] | None = None, **how: Any) -> Exchange:
    instruments = [
        rules(Kind.SPOT, symbol=SPOT, tick="0.1", lot="0.01", min_notional=D(5)),
        rules(Kind.PERPETUAL, symbol=PERPETUAL, tick="0.1", lot="0.01", min_notional=D(5)),
    ]
    ours = Exchange(instruments, Costs(**{**COSTS, **(costs or {})}), **how)
    ours.add_account("me", {"USDT": D(1_000), "AAA": D(10)})
    for symbol in (SPOT, PERPETUAL):
        ours.at_open(symbol, 1_000, 100.0, 50.0)
    return ours


_count = iter(range(10**9))


def ask(side: Side, kind: OrderType = MARKET, quantity: str = "1", at: str | None = None, **how: Any) -> OrderRequest:
    level = {"price" if kind is LIMIT else "trigger": D(at)} if at else {}
    values: dict[str, Any] = {"client_id": f"c{next(_count)}", "symbol": SPOT, **level, **how}
    return OrderRequest(side=side, type=kind, quantity=D(quantity), **values)


def balance(ours: Exchange, asset: str) -> tuple[Decimal, Decimal]:
    found = ours.balances("me")[asset]
    return found.free, found.locked


def bar(ours: Exchange, low: float, high: float, symbol: str = SPOT, volume: float = 50.0) -> None:
    for _ in ours.in_range(symbol, 2_000, (100.0, high, low, 100.0), volume):
        pass


def test_what_ended_long_ago_is_forgotten_and_what_waits_never(monkeypatch):
    monkeypatch.setattr("cambist.market.exchange._KEPT", 5)
    ours = exchange()
    waiting = ours.submit("me", ask(BUY, LIMIT, "1", "50"))
    done = [ours.submit("me", ask(side, quantity="1")) for side in (BUY, SELL) * 10]
    assert [one.client_id for one in ours.orders("me", SPOT)] == [
        waiting.client_id,
        *(one.client_id for one in done[-4:]),
    ]
    with pytest.raises(NotFound):
        ours.order("me", SPOT, done[0].client_id)
    fills = ours.fills("me", SPOT)
    assert 5 <= len(fills) <= 10
    assert [fill.client_id for fill in fills] == [one.client_id for one in done[-len(fills) :]]
    assert ours.cancel("me", SPOT, waiting.client_id).status is Status.CANCELLED


def test_an_account_that_is_forgotten_leaves_nothing_behind():
    ours = exchange()
    ours.submit("me", ask(BUY, LIMIT, "1", "50"))
    ours.submit("me", ask(BUY))
    (seat,) = ours._markets[SPOT].seats
    ours.forget("me")
    assert not seat.account.orders
    assert not seat.account.fills
    bar(ours, 40.0, 101.0)
    ours.add_account("me", {"USDT": D(1)})
    assert ours.orders("me", SPOT) == []


# -- money ------------------------------------------------------------------------------------------------------------


def test_a_market_order_fills_at_the_price_of_the_open_and_pays_in_quote():
    ours = exchange()
    report = ours.submit("me", ask(BUY, quantity="2"))
    assert (report.status, report.filled) == (Status.FILLED, D(2))
    assert balance(ours, "USDT") == (D("799.6"), 0)  # 200 and 20 bps of it
    assert balance(ours, "AAA") == (D(12), 0)


def test_the_fee_of_a_buy_is_taken_from_what_was_bought_where_the_exchange_does_so():
    ours = exchange(fee_in_base=True)
    ours.submit("me", ask(BUY, quantity="2"))
    assert balance(ours, "USDT") == (D(800), 0)
    assert balance(ours, "AAA") == (D("11.996"), 0)
    ours.submit("me", ask(SELL, quantity="2"))
    assert balance(ours, "USDT") == (D("999.6"), 0)
    ours.submit("me", ask(BUY, LIMIT, "9.99", "100"))  # all but a bit: the fee is not in quote
    assert balance(ours, "USDT")[0] == D("0.6")


def test_a_waiting_buy_locks_price_and_fee_and_what_was_too_much_comes_free_when_it_fills():
    ours = exchange()
    ours.submit("me", ask(BUY, LIMIT, "2", "90"))
    assert balance(ours, "USDT") == (D("819.64"), D("180.36"))  # at the taker's fee, which it may come to pay
    bar(ours, 89.9, 101.0)
    assert balance(ours, "USDT") == (D("819.82"), 0)  # it paid the maker's
    assert balance(ours, "AAA") == (D(12), 0)


def test_a_partial_fill_leaves_locked_what_is_left():
    ours = exchange({"volume_share": 0.1})
    order = ask(BUY, LIMIT, "2", "90")
    ours.submit("me", order)
    bar(ours, 89.9, 101.0, volume=15.0)  # a tenth of it: 1.5
    assert ours.order("me", SPOT, order.client_id).status is Status.PARTLY_FILLED
    assert balance(ours, "USDT") == (D("1000") - D("135.135") - D("45.09"), D("45.09"))
    assert ours.cancel("me", SPOT, order.client_id).filled == D("1.5")
    assert balance(ours, "USDT") == (D("864.865"), 0)


def test_a_sale_that_waits_locks_base_and_a_pair_of_sales_locks_it_once():
    ours = exchange()
    ours.submit("me", ask(SELL, STOP, "4", "90"))
    assert balance(ours, "AAA") == (D(6), D(4))
    stop, target = ask(SELL, STOP, "6", "90"), ask(SELL, TARGET, "6", "110")
    ours.submit_oco("me", "pair", stop, target)
    assert balance(ours, "AAA") == (D(0), D(10))
    with pytest.raises(VenueRefused, match=r"insufficient balance: 0\.01 AAA needed, 0 free"):
        ours.submit("me", ask(SELL, LIMIT, "0.01", "500"))
    bar(ours, 99.0, 110.0)
    assert ours.order("me", SPOT, stop.client_id).status is Status.EXPIRED
    assert ours.order("me", SPOT, target.client_id).status is Status.FILLED
    assert balance(ours, "AAA") == (D(0), D(4))


def test_a_pair_that_fills_in_part_goes_on_at_the_next_open_without_its_other_leg():
    ours = exchange({"volume_share": 0.1})
    stop, target = ask(SELL, STOP, "6", "90"), ask(SELL, TARGET, "6", "110")
    ours.submit_oco("me", "pair", stop, target)
    bar(ours, 89.0, 99.0)
    assert ours.order("me", SPOT, stop.client_id).filled == D(5)
    assert ours.order("me", SPOT, target.client_id).status is Status.EXPIRED
    assert balance(ours, "AAA") == (D(4), D(1))
    ours.at_open(SPOT, 3_000, 88.0, 50.0)
    assert ours.order("me", SPOT, stop.client_id).status is Status.FILLED
    assert [fill.price for fill in ours.fills("me", SPOT)] == [D("90.0"), D("88.0")]
    assert balance(ours, "AAA") == (D(4), 0)


def test_an_entry_with_a_cost_limit_is_cut_and_never_refused_for_cash():
    ours = exchange()
    order = ask(BUY, quantity="50", cost_limit=D(300))
    report = ours.submit("me", order)
    assert (report.status, report.filled) == (Status.EXPIRED, D("2.99"))  # 299 and its fee; 3 would be 300.6
    assert ours.submit("me", ask(BUY, quantity="50", cost_limit=D(10_000))).filled == D("6.99")
    with pytest.raises(VenueRefused, match="insufficient"):
        ours.submit("me", ask(BUY, quantity="50"))


def test_a_limit_that_the_market_is_beyond_fills_as_it_arrives_and_no_worse_than_its_price():
    ours = exchange({"slippage_bps": 100.0})
    report = ours.submit("me", ask(BUY, LIMIT, "1", "100.5"))
    assert report.status is Status.FILLED
    assert ours.fills("me", SPOT)[0].price == D("100.5")  # 101 was the market's


def test_a_stop_with_a_limit_is_a_limit_once_it_is_triggered():
    ours = exchange()
    gone, held = ask(SELL, STOP, "1", "90", price=D("89")), ask(SELL, STOP, "1", "80", price=D("79"))
    for order in (gone, held):
        ours.submit("me", order)
    for _ in ours.in_range(SPOT, 2_000, (100.0, 100.0, 81.0, 81.0), 50.0):
        pass
    assert [fill.price for fill in ours.fills("me", SPOT)] == [D("90.0")]
    for _ in ours.in_range(SPOT, 3_000, (70.0, 71.0, 70.0, 70.0), 50.0):  # the market jumped over 79
        pass
    assert ours.order("me", SPOT, held.client_id).status is Status.OPEN
    for _ in ours.in_range(SPOT, 4_000, (70.0, 79.5, 70.0, 75.0), 50.0):
        pass
    assert [fill.price for fill in ours.fills("me", SPOT)] == [D("90.0"), D("79")]


# -- perpetuals -------------------------------------------------------------------------------------------------------


def test_a_short_brings_cash_locks_it_and_as_much_again_and_gives_it_back():
    ours = exchange()
    ours.submit("me", ask(SELL, quantity="2", symbol=PERPETUAL))
    assert ours.balances("me")[PERPETUAL] == Balance(PERPETUAL, D(-2), D(0))
    assert balance(ours, "USDT") == (D("799.6"), D(400))
    ours.at_open(PERPETUAL, 2_000, 90.0, 50.0)
    ours.submit("me", ask(BUY, quantity="2", symbol=PERPETUAL, reduce_only=True))
    assert PERPETUAL not in {asset for asset, held in ours.balances("me").items() if held.total}
    assert balance(ours, "USDT") == (D("1000") + D(20) - D("0.4") - D("0.36"), 0)


def test_what_may_only_reduce_never_turns_a_position_round():
    ours = exchange()
    with pytest.raises(VenueRefused, match="no position"):
        ours.submit("me", ask(SELL, STOP, "1", "90", symbol=PERPETUAL, reduce_only=True))
    ours.submit("me", ask(BUY, quantity="2", symbol=PERPETUAL))
    stop = ask(SELL, STOP, "2", "90", symbol=PERPETUAL, reduce_only=True)
    target = ask(SELL, TARGET, "2", "110", symbol=PERPETUAL, reduce_only=True)
    for order in (stop, target):
        ours.submit("me", order)
    assert ours.submit("me", ask(SELL, quantity="1.5", symbol=PERPETUAL, reduce_only=True)).filled == D("1.5")
    bar(ours, 89.0, 111.0, PERPETUAL)
    assert ours.order("me", PERPETUAL, stop.client_id).filled == D("0.5")
    assert ours.order("me", PERPETUAL, target.client_id).status is Status.EXPIRED
    assert PERPETUAL not in {asset for asset, held in ours.balances("me").items() if held.total}


def test_an_order_may_turn_a_position_round_with_the_money_that_it_frees():
    ours = exchange()
    ours.submit("me", ask(BUY, quantity="9", symbol=PERPETUAL))
    assert ours.submit("me", ask(SELL, quantity="17", symbol=PERPETUAL)).status is Status.FILLED
    assert ours.balances("me")[PERPETUAL].total == D(-8)


def test_what_a_waiting_entry_has_locked_pays_for_it():
    ours = exchange()
    order = ask(BUY, LIMIT, "10", "99")
    ours.submit("me", order)
    assert balance(ours, "USDT") == (D("8.02"), D("991.98"))
    bar(ours, 98.0, 101.0)
    assert ours.order("me", SPOT, order.client_id).status is Status.FILLED


def test_a_cost_limit_holds_for_all_fills_of_an_order_together():
    ours = exchange({"volume_share": 0.1})
    ours.add_account("rich", {"USDT": D(5_000)})
    ours.submit("rich", ask(BUY, LIMIT, "20", "99", cost_limit=D(1_000)))
    for locked, held in ((D(1_000), D(0)), (D("504.505"), D(5)), (D("9.01"), D(10))):
        usdt, base = ours.balances("rich")["USDT"], ours.balances("rich").get("AAA")
        assert (usdt.locked, D(0) if base is None else base.total) == (locked, held)
        bar(ours, 98.0, 101.0)
    assert ours.balances("rich")["AAA"].total == D("10.09")
    assert ours.balances("rich")["USDT"].total >= D(4_000)


def test_a_stop_is_not_moved_where_its_order_could_not_be_paid():
    ours = exchange()
    stop = ask(BUY, STOP, "9", "105")
    ours.submit("me", stop)
    with pytest.raises(VenueRefused) as refused:
        ours.amend("me", SPOT, stop.client_id, D(120))
    assert refused.value.key == "exchange.balance"
    assert balance(ours, "USDT") == (D("53.11"), D("946.89"))
    assert ours.order("me", SPOT, stop.client_id).trigger == D(105)


def test_of_several_that_reduce_at_one_open_the_last_sells_what_is_left():
    ours = exchange()
    ours.submit("me", ask(BUY, quantity="2", symbol=PERPETUAL))
    ours.pause(PERPETUAL)
    orders = [ask(SELL, quantity=quantity, symbol=PERPETUAL, reduce_only=True) for quantity in ("1.5", "2", "1")]
    for order in orders:
        ours.submit("me", order)
    ours.at_open(PERPETUAL, 3_000, 100.0, 50.0)
    assert [ours.order("me", PERPETUAL, order.client_id).filled for order in orders] == [D("1.5"), D("0.5"), 0]
    assert PERPETUAL not in ours.balances("me") or ours.balances("me")[PERPETUAL].total == 0


def test_what_a_long_that_has_lost_frees_is_what_it_is_worth_now():
    ours = exchange()
    ours.submit("me", ask(BUY, quantity="8", symbol=PERPETUAL))
    ours.at_open(PERPETUAL, 3_000, 60.0, 50.0)
    with pytest.raises(VenueRefused) as refused:
        ours.submit("me", ask(SELL, quantity="20", symbol=PERPETUAL))
    assert refused.value.key == "exchange.balance"
    ours.submit("me", ask(SELL, quantity="19", symbol=PERPETUAL))


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "key"),
    [
        (ask(BUY, quantity="0"), "exchange.lot_size"),
        (ask(BUY, quantity="0.001"), "exchange.lot_size"),
        (ask(BUY, LIMIT, at="99.95"), "exchange.tick_size"),
        (ask(SELL, LIMIT, at="0"), "exchange.tick_size"),
        (ask(SELL, LIMIT, at="-100"), "exchange.tick_size"),
        (ask(BUY, LIMIT), "exchange.shape"),
        (ask(SELL, STOP), "exchange.shape"),
        (ask(BUY, quantity="0.04"), "exchange.min_notional"),
        (ask(SELL, LIMIT, "0.04", "110"), "exchange.min_notional"),
        (ask(SELL, STOP, at="100"), "exchange.would_trigger"),
        (ask(BUY, STOP, at="99"), "exchange.would_trigger"),
        (ask(SELL, TARGET, at="99"), "exchange.would_trigger"),
        (ask(SELL, quantity="11"), "exchange.balance"),
        (ask(BUY, LIMIT, "10", "100"), "exchange.balance"),  # the fee is not paid for
    ],
)
def test_what_an_exchange_refuses_leaves_no_trace(request_, key):
    ours = exchange()
    before = ours.balances("me")
    with pytest.raises(VenueRefused) as refused:
        ours.submit("me", request_)
    assert refused.value.key == key
    assert ours.balances("me") == before
    with pytest.raises(NotFound):
        ours.order("me", SPOT, request_.client_id)


def test_the_smallest_quantity_is_taken_and_no_smaller_one():
    instrument = rules(Kind.SPOT, symbol=SPOT, lot="0.01", min_quantity=D("0.1"))
    judge_size(instrument, ask(BUY, quantity="0.1"), 100.0)
    with pytest.raises(VenueRefused) as refused:
        judge_size(instrument, ask(BUY, quantity="0.09"), 100.0)
    assert refused.value.key == "exchange.min_quantity"


def test_the_legs_of_a_pair_have_names_of_their_own():
    ours = exchange()
    stop, target = ask(SELL, STOP, at="90", client_id="one"), ask(SELL, TARGET, at="110", client_id="one")
    with pytest.raises(VenueRefused, match="Duplicate"):
        ours.submit_oco("me", "pair", stop, target)
    assert ours.open_orders("me") == []
    assert balance(ours, "AAA") == (D(10), D(0))


def test_by_the_law_stops_beyond_the_market_act_at_the_next_price_and_exits_have_no_minimum():
    ours = exchange(by_law=True)
    stop = ask(SELL, STOP, at="105")
    assert ours.submit("me", stop).status is Status.OPEN
    bar(ours, 99.0, 101.0)
    assert ours.order("me", SPOT, stop.client_id).status is Status.FILLED
    ours.at_open(SPOT, 3_000, 100.0, 50.0)
    assert ours.submit("me", ask(SELL, quantity="0.01")).status is Status.FILLED


def test_names_are_taken_once():
    ours = exchange()
    order = ask(BUY, LIMIT, at="90")
    ours.submit("me", order)
    ours.cancel("me", SPOT, order.client_id)
    with pytest.raises(VenueRefused, match="Duplicate"):
        ours.submit("me", order)
    with pytest.raises(BadInput):
        ours.add_account("me", {})
    with pytest.raises(NotFound):
        ours.submit("you", order)
    with pytest.raises(NotFound):
        ours.price("BBB/USDT")


# -- time -------------------------------------------------------------------------------------------------------------


def test_between_candles_nobody_trades_and_what_arrives_gets_the_next_open():
    ours = exchange()
    bar(ours, 99.0, 101.0)
    order = ask(BUY)
    assert ours.submit("me", order).status is Status.OPEN
    ours.at_open(SPOT, 3_000, 104.0, 50.0)
    assert [(fill.ts, fill.price) for fill in ours.fills("me", SPOT)] == [(3_000, D("104.0"))]
    assert ours.fills("me", SPOT, 3_001) == []


def test_within_a_candle_a_stop_armed_after_a_fill_still_acts_in_it():
    ours = exchange()
    ours.submit("me", ask(BUY, LIMIT, "1", "95"))
    steps = ours.in_range(SPOT, 2_000, (100.0, 100.0, 90.0, 92.0), 50.0)
    next(steps)
    ours.submit("me", ask(SELL, STOP, "1", "93"))
    assert [None for _ in steps] == [None]
    assert [fill.price for fill in ours.fills("me", SPOT)] == [D("95"), D("93.0")]


def test_everything_is_told_in_order_and_to_whom_it_concerns():
    said: list[tuple[str, Report]] = []
    ours = exchange(listen=lambda account, report: said.append((account, report)))
    ours.add_account("you", {"USDT": D(50)})
    attached: list[Report] = []
    detach = ours.attach("you", attached.append)
    ours.submit("me", ask(BUY, quantity="2"))
    kinds = [type(report) for _, report in said]
    assert kinds == [OrderReport, FillReport, OrderReport, BalancesReported]
    assert {account for account, _ in said} == {"me"}
    assert attached == []
    ours.submit("you", ask(BUY, LIMIT, "0.1", "90"))
    detach()
    ours.cancel("you", SPOT, ours.open_orders("you")[0].client_id)
    assert [type(report) for report in attached] == [OrderReport, BalancesReported]
    assert isinstance(attached[1], BalancesReported)
    assert attached[1].balances[1] == Balance("USDT", D(50) - D("9.018"), D("9.018"))


# -- many -------------------------------------------------------------------------------------------------------------


def test_those_who_sleep_are_not_asked():
    levels = WakeLevels()
    for number in range(10_000):
        levels.set(number, 50.0 - number * 0.001, 150.0 + number * 0.001)
    assert levels.wake(60.0, 140.0) == []
    assert levels.wake(49.998, 140.0) == [0, 1, 2]
    assert levels.wake(49.998, 140.0) == []  # awake until they are set again
    levels.set(1, 49.999, float("inf"))
    levels.set(2, 10.0, 150.0)
    assert levels.wake(49.0, 150.0) == [1, 2, *range(3, 1_001)]


def test_levels_that_move_all_the_time_do_not_pile_up():
    levels = WakeLevels()
    for step in range(10_000):
        levels.set(7, 50.0 + step * 0.001, float("inf"))
    assert len(levels._heaps[0]) <= 70
    assert levels.wake(59.999, 100.0) == [7]


def test_ten_thousand_accounts_with_orders_far_away_cost_a_candle_nothing():
    def quiet(count: int) -> int:
        """Return how many calls a candle takes in which nothing happens."""
        ours = exchange()
        for number in range(count):
            ours.add_account(f"a{number}", {"USDT": D(100)})
            ours.submit(f"a{number}", ask(BUY, LIMIT, "1", "50"))
        bar(ours, 99.0, 101.0)  # their first candle, which everybody sees
        calls = 0

        def called(frame: object, event: str, argument: object) -> None:
            nonlocal calls
            calls += 1

        sys.setprofile(called)
        ours.at_open(SPOT, 3_000, 100.0, 50.0)
        bar(ours, 99.0, 101.0)
        sys.setprofile(None)
        return calls

    assert quiet(10_000) == quiet(10)
