"""nautilus_trader, with bracket orders: ``python -m bench.peers.nautilus_run``.

It gets the first candles of the year only: its rate falls as closed orders pile up, so a shorter run favours it.
"""

import time
from decimal import Decimal

from bench import work
from bench.measure import Report, arguments, peak_mb, timed, versions, year

start = time.perf_counter()
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig  # noqa: E402
from nautilus_trader.config import LoggingConfig, StrategyConfig  # noqa: E402
from nautilus_trader.indicators import ExponentialMovingAverage  # noqa: E402
from nautilus_trader.model.currencies import BTC, USDT  # noqa: E402
from nautilus_trader.model.data import BarType  # noqa: E402
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide, OrderStatus, TimeInForce  # noqa: E402
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TraderId, Venue  # noqa: E402
from nautilus_trader.model.instruments import CurrencyPair  # noqa: E402
from nautilus_trader.model.objects import Money, Price, Quantity  # noqa: E402
from nautilus_trader.persistence.wranglers import BarDataWrangler  # noqa: E402
from nautilus_trader.trading.strategy import Strategy  # noqa: E402

IMPORT_S = time.perf_counter() - start

import pandas as pd  # noqa: E402

CASH = 1_000_000.0  # it refuses balances as large as the others get
VENUE = Venue("SIM")
PAIR_ID = InstrumentId(Symbol("BTCUSDT"), VENUE)
BARS = BarType.from_str("BTCUSDT.SIM-1-MINUTE-LAST-EXTERNAL")
FEE = Decimal(str(work.FEE))
PAIR = CurrencyPair(
    instrument_id=PAIR_ID,
    raw_symbol=Symbol("BTCUSDT"),
    base_currency=BTC,
    quote_currency=USDT,
    price_precision=2,
    size_precision=6,
    price_increment=Price.from_str("0.01"),
    size_increment=Quantity.from_str("0.000001"),
    ts_event=0,
    ts_init=0,
    margin_init=Decimal("0.1"),
    margin_maint=Decimal("0.05"),
    maker_fee=FEE,
    taker_fee=FEE,
)


def candles(count):
    ts, *columns = year(count)
    frame = pd.DataFrame(dict(zip(("open", "high", "low", "close", "volume"), columns, strict=True)))
    frame.index = pd.to_datetime(ts, unit="ms", utc=True)
    return BarDataWrangler(BARS, PAIR).process(frame)


class Settings(StrategyConfig, frozen=True):
    pass


class EmaCross(Strategy):
    def on_start(self):
        self.entered, self.seen, self.gap = 0, 0, 0.0
        self.quick, self.calm = ExponentialMovingAverage(work.FAST), ExponentialMovingAverage(work.SLOW)
        self.register_indicator_for_bars(BARS, self.quick)
        self.register_indicator_for_bars(BARS, self.calm)
        self.subscribe_bars(BARS)

    def on_bar(self, bar):
        self.seen += 1
        gap = self.quick.value - self.calm.value
        if self.seen > work.SLOW:
            if gap > 0 >= self.gap and self.portfolio.is_flat(PAIR_ID):
                self.enter(bar.close.as_double())
            elif gap < 0 <= self.gap and not self.portfolio.is_flat(PAIR_ID):
                self.cancel_all_orders(PAIR_ID)
                self.close_all_positions(PAIR_ID)
        self.gap = gap

    def enter(self, price):
        equity = self.portfolio.account(VENUE).balance_total(USDT).as_double()
        bracket = self.order_factory.bracket(
            instrument_id=PAIR_ID,
            order_side=OrderSide.BUY,
            quantity=PAIR.make_qty(work.FRACTION * equity / price),
            time_in_force=TimeInForce.GTC,
            sl_trigger_price=PAIR.make_price(price * (1 - work.STOP)),
            tp_price=PAIR.make_price(price * (1 + work.TARGET)),
        )
        self.submit_order_list(bracket)
        self.entered += 1

    def on_stop(self):
        self.unsubscribe_bars(BARS)


def engine(bars):
    made = BacktestEngine(BacktestEngineConfig(trader_id=TraderId("B-1"), logging=LoggingConfig(bypass_logging=True)))
    made.add_venue(
        venue=VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.MARGIN,
        base_currency=None,
        starting_balances=[Money(CASH, USDT)],
        default_leverage=Decimal(1),
    )
    made.add_instrument(PAIR)
    made.add_data(bars)
    made.add_strategy(EmaCross(Settings()))
    return made


def run(made):
    made.run()
    return made


def facts(made):
    filled = [order.tags or [] for order in made.cache.orders() if order.status == OrderStatus.FILLED]
    told = {
        "trades": made.trader.strategies()[0].entered,
        "final": made.portfolio.account(VENUE).balance_total(USDT).as_double() / CASH,
        "stops": sum("STOP_LOSS" in tags for tags in filled),
        "targets": sum("TAKE_PROFIT" in tags for tags in filled),
        "orders": made.cache.orders_total_count(),
    }
    made.dispose()
    return told


def main():
    told = arguments()
    bars = candles(work.SHORT)
    # each run needs an engine of its own, and the code is compiled ahead: no run is thrown away
    measure = timed(run, told.runs, len(bars), prepare=lambda: engine(bars), facts=facts, warm_up=False)
    print(Report({"whole": measure}, versions("nautilus_trader", "numpy", "pandas"), IMPORT_S, peak_mb()).line())


if __name__ == "__main__":
    main()
