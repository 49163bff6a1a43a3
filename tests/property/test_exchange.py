"""Whatever accounts ask for and whatever the market does: no money appears or goes, and locks are what orders need."""

from collections import Counter
from decimal import ROUND_CEILING, Context, Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.backtest.made import rough, rules

from cambist.domain.errors import VenueRefused
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.order import OrderType, Side, TimeInForce
from cambist.domain.position import FLAT, Position
from cambist.domain.report import BalancesReported, FillReport, OrderReport, Report
from cambist.market.exchange import Exchange
from cambist.market.matching import Costs
from cambist.ports.venue import OrderRequest

D = Decimal
DIGITS = Context(prec=60)
SPOT, PERPETUAL, OTHER = "AAA/USDT", "BBB/USDT:USDT", "CCC/USDT"


class Crowd:
    """Accounts that do anything, and books of their own kept from what the exchange reports."""

    def __init__(self, seed: int, *, volume_share: float | None, fee_in_base: bool, by_law: bool, cut: bool) -> None:
        self.dice = np.random.default_rng(seed)
        self.instruments = {
            symbol: rules(kind, symbol=symbol, tick="0.01", lot="0.001", min_notional=D("1.5"))
            for symbol, kind in ((SPOT, Kind.SPOT), (PERPETUAL, Kind.PERPETUAL), (OTHER, Kind.SPOT))
        }
        self.costs = Costs(
            maker_fee_bps=float(self.dice.choice([-1.0, 0.0, 2.0])),
            taker_fee_bps=float(self.dice.choice([0.0, 7.5])),
            slippage_bps=float(self.dice.choice([0.0, 20.0])),
            volume_share=volume_share,
        )
        self.cut = cut
        self.fee_in_base = fee_in_base
        self.heard: dict[str, list[Report]] = {}
        self.exchange = Exchange(
            self.instruments.values(),
            self.costs,
            lambda account, report: self.heard[account].append(report),
            fee_in_base=fee_in_base,
            by_law=by_law,
        )
        self.deposits = {
            "ann": {"USDT": D("1000"), "AAA": D("3")},
            "bob": {"USDT": D("333.33"), "CCC": D("1.5")},
            "cyd": {"USDT": D("0")},
        }
        for account, balances in self.deposits.items():
            self.heard[account] = []
            self.exchange.add_account(account, balances)
        self.asked: dict[tuple[str, str], OrderRequest] = {}
        self.pairs: dict[tuple[str, str], str] = {}
        self.seen: Counter[str] = Counter()
        self.number = 0

    # -- what they do -------------------------------------------------------------------------------------------------

    def pick(self, options: Any) -> Any:
        return options[int(self.dice.integers(len(options)))]

    def act(self) -> None:
        account = self.pick(list(self.deposits))
        symbol = self.pick(list(self.instruments))
        what = self.pick(["submit", "submit", "submit", "submit", "oco", "cancel", "amend"])
        try:
            if what == "submit":
                self.submit(account, self.request(account, symbol))
            elif what == "oco":
                self.oco(account, symbol)
            elif orders := self.exchange.open_orders(account):
                order = self.pick(orders)
                if what == "cancel":
                    assert self.exchange.cancel(account, order.symbol, order.client_id).status.final
                else:
                    moved = self.level(order.symbol, 0.05)
                    report = self.exchange.amend(account, order.symbol, order.client_id, moved)
                    assert report.trigger == moved
            self.seen[what] += 1
        except VenueRefused as refused:
            self.seen[refused.key] += 1

    def level(self, symbol: str, reach: float) -> Decimal:
        price = float(self.exchange.price(symbol)) * (1 + self.dice.uniform(-reach, reach))
        return max(D("0.01"), D(str(round(price, 2))))

    def request(self, account: str, symbol: str) -> OrderRequest:
        self.number += 1
        kind = self.pick([*OrderType, OrderType.MARKET])
        limited = kind is OrderType.LIMIT or (kind is not OrderType.MARKET and self.dice.random() < 0.4)
        quantity = D(str(round(float(self.dice.choice([0.3, 2.0, 40.0])) * self.dice.random(), 3)))
        return OrderRequest(
            client_id=f"o{self.number}",
            symbol=symbol,
            side=self.pick(list(Side)),
            type=kind,
            quantity=quantity,
            price=self.level(symbol, 0.03) if limited else None,
            trigger=None if kind in (OrderType.MARKET, OrderType.LIMIT) else self.level(symbol, 0.03),
            time_in_force=TimeInForce.IOC if kind is OrderType.LIMIT and self.dice.random() < 0.2 else TimeInForce.GTC,
            reduce_only=bool(self.dice.random() < 0.4),
            cost_limit=D(str(round(self.dice.uniform(5, 500), 2))) if self.cut and self.dice.random() < 0.5 else None,
        )

    def submit(self, account: str, request: OrderRequest) -> None:
        self.exchange.submit(account, request)
        self.asked[account, request.client_id] = request

    def oco(self, account: str, symbol: str) -> None:
        one = self.request(account, symbol)
        other = self.request(account, symbol)
        same: dict[str, Any] = {
            "symbol": symbol, "side": one.side, "quantity": one.quantity, "reduce_only": one.reduce_only,
            "cost_limit": one.cost_limit,
        }  # fmt: skip
        stop = OrderRequest(client_id=one.client_id, type=OrderType.STOP, trigger=self.level(symbol, 0.03), **same)
        limit = bool(self.dice.random() < 0.5)
        level = self.level(symbol, 0.03)
        target = OrderRequest(
            client_id=other.client_id,
            type=OrderType.LIMIT if limit else OrderType.TAKE_PROFIT,
            price=level if limit else None,
            trigger=None if limit else level,
            **same,
        )
        self.exchange.submit_oco(account, "pair", stop, target)
        for mine, its in ((stop, target), (target, stop)):
            self.asked[account, mine.client_id] = mine
            self.pairs[account, mine.client_id] = its.client_id

    # -- what must hold -----------------------------------------------------------------------------------------------

    def check(self) -> None:
        for account in self.deposits:
            fills = [report for report in self.heard[account] if isinstance(report, FillReport)]
            self.check_money(account, fills)
            self.check_orders(account, fills)
            self.check_locks(account, fills)

    def check_money(self, account: str, fills: list[FillReport]) -> None:
        """What is held is what was brought, moved by fills and fees alone."""
        owned = Counter(dict(self.deposits[account]))
        for fill in fills:
            instrument = self.instruments[fill.symbol]
            held = fill.symbol if instrument.kind is Kind.PERPETUAL else instrument.base
            owned[held] += fill.side.sign * fill.quantity  # type: ignore[assignment]
            owned[instrument.quote] -= fill.side.sign * fill.quantity * fill.price  # type: ignore[assignment]
            owned[fill.fee_asset] -= fill.fee  # type: ignore[assignment]
            base_fee = self.fee_in_base and instrument.kind is Kind.SPOT and fill.side is Side.BUY
            assert fill.fee_asset == (instrument.base if base_fee else instrument.quote)
            rate = self.costs.maker_fee_bps if fill.liquidity == "maker" else self.costs.taker_fee_bps
            assert fill.fee == fill.quantity * (1 if base_fee else fill.price) * D(str(rate)) / 10_000
        balances = self.exchange.balances(account)
        assert {asset: b.total for asset, b in balances.items() if b.total} == {a: t for a, t in owned.items() if t}
        traded_perpetuals = any(self.instruments[fill.symbol].kind is Kind.PERPETUAL for fill in fills)
        for asset, balance in balances.items():
            assert balance.locked >= 0
            if asset != PERPETUAL and not (asset == "USDT" and traded_perpetuals):
                assert balance.free >= 0, asset
        told: dict[str, Any] = {}
        for report in self.heard[account]:
            if isinstance(report, BalancesReported):
                told.update({balance.asset: balance for balance in report.balances})
        for asset, balance in told.items():
            assert balances.get(asset, balance) == balance

    def check_orders(self, account: str, fills: list[FillReport]) -> None:
        filled: Counter[str] = Counter()
        for fill in fills:
            assert fill.quantity > 0
            filled[fill.client_id] += fill.quantity  # type: ignore[assignment]
        last = {report.client_id: report for report in self.heard[account] if isinstance(report, OrderReport)}
        for (owner, client_id), request in self.asked.items():
            if owner == account:
                report = self.exchange.order(account, request.symbol, client_id)
                assert report == last[client_id]
                assert report.filled == filled[client_id] <= request.quantity
        assert [o.client_id for o in self.exchange.open_orders(account)] == [
            client_id for owner, client_id in self.asked if owner == account and not last[client_id].status.final
        ]
        for symbol in self.instruments:
            mine = [fill for fill in fills if fill.symbol == symbol]
            assert self.exchange.fills(account, symbol) == mine
            assert [fill.ts for fill in mine] == sorted(fill.ts for fill in mine)

    def check_locks(self, account: str, fills: list[FillReport]) -> None:
        needed: Counter[str] = Counter()
        paired: set[str] = set()
        for order in self.exchange.open_orders(account):
            if order.client_id in paired:
                continue
            legs = [order]
            other = self.pairs.get((account, order.client_id))
            if other is not None and not self.exchange.order(account, order.symbol, other).status.final:
                legs.append(self.exchange.order(account, order.symbol, other))
                paired.add(other)
            asset, amount = max((self.need(account, leg) for leg in legs), key=lambda need: need[1])
            needed[asset] += amount  # type: ignore[assignment]
        for asset, amount in self.margin(fills).items():
            needed[asset] += amount  # type: ignore[assignment]
        for asset, balance in self.exchange.balances(account).items():
            if self.cut and asset == "USDT":
                assert 0 <= balance.locked <= needed[asset]
            else:
                assert balance.locked == needed[asset], asset

    def need(self, account: str, order: OrderReport) -> tuple[str, Decimal]:
        instrument, request = self.instruments[order.symbol], self.asked[account, order.client_id]
        left = request.quantity - order.filled
        spot = instrument.kind is Kind.SPOT
        if spot and request.side is Side.SELL:
            return instrument.base, left
        if request.type is OrderType.MARKET or (request.reduce_only and not spot):
            return instrument.quote, D(0)
        fee = (
            D(0) if self.fee_in_base else D(str(max(self.costs.maker_fee_bps, self.costs.taker_fee_bps, 0.0))) / 10_000
        )
        level = request.price or order.trigger
        assert level is not None
        return instrument.quote, left * level * (1 + fee)

    def margin(self, fills: list[FillReport]) -> dict[str, Decimal]:
        """Twice what shorts brought in."""
        held: Position = FLAT
        for fill in fills:
            if fill.symbol == PERPETUAL:
                signed = fill.side.sign * fill.quantity
                left = held.quantity + signed
                if held.quantity * signed >= 0:
                    held = held.grown(signed, fill.price)
                elif left * held.quantity >= 0:
                    held = held.reduced(signed)
                else:
                    self.seen["turned"] += 1
                    held = FLAT.grown(left, fill.price)
        margin = max(D(0), -2 * held.quantity * held.entry_price)
        return {"USDT": margin.quantize(D("1e-18"), ROUND_CEILING)}


def play(seed: int, count: int, **how: Any) -> Crowd:
    with localcontext(DIGITS):
        crowd = Crowd(seed, **how)
        rng = np.random.default_rng(seed)
        volume = float(rng.choice([2.0, 50.0, 1e6]))
        series = {symbol: rough(rng, count, symbol=symbol, level=1_000, volume=volume) for symbol in crowd.instruments}
        exchange = crowd.exchange
        for i in range(count):
            for symbol, candles in series.items():
                exchange.at_open(symbol, i * 1_000, float(candles.open[i]), float(candles.volume[i]))
            for _ in range(3):
                crowd.act()
                crowd.check()
            for symbol, candles in series.items():
                bar = tuple(float(getattr(candles, name)[i]) for name in ("open", "high", "low", "close"))
                for _ in exchange.in_range(symbol, i * 1_000 + 999, bar, float(candles.volume[i])):  # type: ignore[arg-type]
                    crowd.check()
                    crowd.act()  # inside the candle
            crowd.act()  # nobody trades: it waits for the open
            crowd.check()
        fills = [fill for account in crowd.deposits for fill in exchange.fills(account, SPOT)]
        ids = [fill.trade_id for fill in fills]
        assert len(set(ids)) == len(ids)
        for account in crowd.deposits:
            own = [int(fill.trade_id) for fill in exchange.fills(account, SPOT)]
            assert own == sorted(own)
        for heard in crowd.heard.values():
            for report in heard:
                if isinstance(report, FillReport):
                    crowd.seen[f"{report.liquidity}"] += 1
                elif isinstance(report, OrderReport):
                    crowd.seen[f"{report.type} {report.status}"] += 1
        return crowd


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(5, 25),
    volume_share=st.sampled_from([None, 0.01, 0.3]),
    fee_in_base=st.booleans(),
    by_law=st.booleans(),
    cut=st.booleans(),
)
def test_no_money_appears_or_goes_and_locks_are_what_orders_need(seed, count, volume_share, fee_in_base, by_law, cut):
    play(seed, count, volume_share=volume_share, fee_in_base=fee_in_base, by_law=by_law, cut=cut)


def test_the_examples_reach_all_that_can_happen():
    """The property is worth something only if its examples do all that can be done."""
    seen: Counter[str] = Counter()
    for seed in range(14):
        crowd = play(
            seed, 40, volume_share=[None, 0.3][seed % 2], fee_in_base=seed % 3 == 0, by_law=seed % 4 == 0,
            cut=seed % 5 == 0,
        )  # fmt: skip
        seen += crowd.seen
    wanted = {f"{kind} {status}" for kind in OrderType for status in ("open", "filled", "partly_filled")}
    wanted -= {"stop partly_filled", "take_profit partly_filled"}
    wanted |= {"maker", "taker", "limit cancelled", "stop cancelled", "limit expired", "market expired", "turned"}
    wanted |= {"oco", "cancel", "amend", "exchange.balance", "exchange.would_trigger", "exchange.min_notional"}
    wanted |= {"exchange.reduce_only", "exchange.no_stop"}
    assert wanted <= set(seen), wanted - set(seen)


def test_an_instrument_is_needed_only_once_it_is_traded():
    exchange = Exchange([Instrument.assume("x", SPOT, 10.0)])
    exchange.add_account("ann", {})
    with pytest.raises(VenueRefused, match="insufficient"):
        exchange.submit(
            "ann",
            OrderRequest(client_id="a", symbol=SPOT, side=Side.BUY, type=OrderType.LIMIT, quantity=D(1), price=D(1)),
        )
