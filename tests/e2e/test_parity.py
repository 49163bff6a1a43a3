"""What a bot traded on paper beside its backtest on what it saw: the same, or the cause is named."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.e2e.paper import Desk, Paper, market
from tests.unit.sandbox.jail import HOLDS

from cambist.adapters.sandbox.processes import sandbox_here
from cambist.adapters.storage.heartbeat_log import SqlHeartbeatLog
from cambist.adapters.storage.journal import SqlJournal
from cambist.backtest.result import Settings
from cambist.domain.account import BotStatus
from cambist.domain.errors import NotFound
from cambist.domain.event import BotChanged, Decided, TradingChanged
from cambist.domain.timeframe import DAY_MS, Timeframe
from cambist.domain.trading import TradingState
from cambist.domain.wish import Exit
from cambist.engine.chronicle import read
from cambist.engine.jailed import Stored
from cambist.execution.limits import Limits
from cambist.market.matching import Costs
from cambist.usecases.differences import Cause, Difference
from cambist.usecases.parity import ParityReport

HOUR = 3_600_000

STOPS = """
class Stops(Strategy):
    def init(self):
        self.quick, self.calm = self.ema(5), self.ema(15)

    def next(self):
        if crossed_above(self.quick, self.calm):
            self.buy(fraction=0.5, stop_loss=0.01, take_profit=0.015)
"""
SIGNALS = """
import numpy as np

class Runs(SignalStrategy):
    warmup = 60

    def signals(self, candles):
        close = candles.close
        mean = np.convolve(close, np.ones(20) / 20)[: len(close)]
        above = close > mean
        crossed = above & ~np.roll(above, 1)
        left = ~above & np.roll(above, 1)
        crossed[:21] = left[:21] = False
        return Signals(enter_long=crossed, exit_long=left, stop_loss=0.02, size=0.4)
"""

KEEPS = """
class Keeps(Strategy):
    def init(self):
        self.calm = self.ema(20)
        self.asked = 0

    def next(self):
        self.asked += 1
        if self.position and self.asked % 7 == 0:
            self.close()
        elif not self.position and self.candles.close[-1] > self.calm[-1]:
            self.buy(notional=0.3 * self.equity, stop_loss=0.02)
"""


def strategy_file(folder, source):
    file = folder / "mine.py"
    file.write_text(source, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("name", ["ema_cross", "donchian_trend", "rsi_reversion", "stops", "signals"])
def test_on_the_simulated_venue_nothing_differs(name, tmp_path):
    sources = {"stops": STOPS, "signals": SIGNALS}
    strategy = strategy_file(tmp_path, sources[name]) if name in sources else name
    params = {"period": 7} if name == "rsi_reversion" else {}
    report = Paper(folder=tmp_path, candles=market(1_800), strategy=strategy, params=params, warm=600).run().parity()
    assert report.differences == ()
    assert report.notes == ()
    assert report.live_trades >= 5
    assert report.trades == report.live_trades == report.tested_trades == report.matched
    assert report.live_pnl == report.tested_pnl != 0
    assert (report.candles, report.missing, report.repaired, report.late) == (1_200, 0, 0, 0)


def test_minutes_decide_within_the_candles_of_a_slower_bot(tmp_path):
    minutes = market(6_000, timeframe="1m")
    report = (
        Paper(
            folder=tmp_path,
            candles=minutes,
            frame=Timeframe.M5,
            strategy=strategy_file(tmp_path, STOPS.replace("0.015", "0.002").replace("0.01", "0.002")),
            warm=1_500,
            budget=Decimal(100_000),
        )
        .run()
        .parity()
    )
    assert report.trades >= 10
    assert report.differences == ()


class UpTo(SqlHeartbeatLog):
    """A record that knows no candle from ``until`` (ms) on."""

    def __init__(self, url: str, until: int) -> None:
        super().__init__(url)
        self._until = until

    def seen(self, venue, symbol, timeframe, since, until):
        return [row for row in super().seen(venue, symbol, timeframe, since, until) if row.candle_ms < self._until]


def test_while_the_bot_runs_nothing_differs_either(tmp_path):
    """At any close the bot may have traded in the candle after it, which the record does not know yet."""
    run = Paper(folder=tmp_path, candles=market(400), strategy=strategy_file(tmp_path, STOPS)).run()
    held = set()
    for closed in run.candles.ts[run.warm + 1 :].tolist():
        report = run.parity(heartbeat=UpTo(run.url, closed))
        assert report.differences == ()
        held.add(report.trades)
    assert len(held) >= 3


@HOLDS
@pytest.mark.parametrize("source", [STOPS, SIGNALS, KEEPS], ids=["strategy", "signals", "keeps"])
def test_a_stored_strategy_is_asked_in_its_jail_as_its_bot_was(source, tmp_path):
    run = Paper(folder=tmp_path, candles=market(900), strategy=strategy_file(tmp_path, source), warm=600).run()
    asked = []

    def stored(spec):
        asked.append(Stored(sandbox_here("cambist.usecases.inside"), source, "stored:1@1", spec.params))
        return asked[-1]

    report = run.parity(open_strategy=stored)
    assert len(asked) == 1
    assert (report.differences, report.notes) == ((), ())
    assert report.live_trades == report.matched >= 3
    assert report.live_pnl == report.tested_pnl != 0


# -- each cause, provoked ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return a run in which nothing went wrong, and its trades."""
    folder = tmp_path_factory.mktemp("undisturbed")
    run = Paper(folder=folder, candles=market(900), strategy=strategy_file(folder, STOPS)).run()
    trades = [deal.trade for deal in read(run.account(), "bot", SqlJournal(run.url)).deals]
    assert len(trades) >= 6
    return run, trades


def again(run, folder, **changes) -> ParityReport:
    """Run the same once more, changed, and compare."""
    return changed(run, folder, **changes).parity()


def changed(run, folder, **changes) -> Paper:
    done: Paper = replace(run, folder=folder, strategy=strategy_file(folder, STOPS), **changes).run()
    return done


def whys(report: ParityReport) -> set[tuple[Cause, str]]:
    return {(one.cause, one.why.key.removeprefix("parity.why.")) for one in report.differences}


def first(report: ParityReport) -> Difference:
    return report.differences[0]


def adds_up(report: ParityReport) -> None:
    money = sum(report.by_cause.values(), Decimal(0))
    assert money == pytest.approx(report.live_pnl - report.tested_pnl, abs=Decimal("1e-15"))
    assert money == sum((one.money for one in report.differences), Decimal(0))
    for one in report.differences:
        assert one.why.said


def hour_before(ts: int) -> int:
    """Return the candle at whose close what filled at ``ts`` was decided."""
    return (ts // HOUR - 1) * HOUR


def test_a_candle_that_was_left_out_is_named(undisturbed, tmp_path):
    run, trades = undisturbed
    lost = trades[2].entry_ts  # decided on the candle before, filled at the open of one that nobody told of
    report = again(run, tmp_path, unseen=frozenset({lost}))
    assert report.missing == 1
    assert (first(report).cause, first(report).leg, first(report).why.key) == (Cause.TIME, "entry", "parity.why.gap")
    assert int(first(report).tested) - int(first(report).live) == HOUR
    assert report.matched >= 2
    adds_up(report)


def test_a_candle_that_the_lake_knows_acts_but_is_not_decided_on(undisturbed, tmp_path):
    run, trades = undisturbed
    report = again(run, tmp_path, unseen=frozenset({trades[2].entry_ts}), keeps_missed=True)
    assert report.missing == 1
    assert report.differences == ()
    assert report.trades > 6


def test_another_fee_is_named(undisturbed, tmp_path):
    run, _ = undisturbed
    report = again(run, tmp_path, costs=Costs(taker_fee_bps=12.0, maker_fee_bps=12.0))
    assert (first(report).cause, first(report).live, first(report).tested) == (Cause.FEE, "12", "10")
    assert whys(report) == {(Cause.FEE, "fee_rate"), (Cause.SIZE, "equity")}
    assert sum(one.cause is Cause.FEE for one in report.differences) == report.trades
    assert report.by_cause[Cause.FEE] < 0
    adds_up(report)
    same = replace(run, folder=tmp_path, strategy=str(tmp_path / "mine.py"))
    assert same.parity(costs=Settings(fee_bps=12.0)).differences == ()


def test_a_persons_sale_is_named(undisturbed, tmp_path):
    run, trades = undisturbed

    async def sell(desk: Desk) -> None:
        seat = desk.lane.account.seats["bot"]
        assert seat.bot.position
        desk.tell(Decided("bot", desk.clock.now_ms(), seat.bot.mark, (Exit(),)))

    report = again(run, tmp_path, acts={trades[2].entry_ts: sell})
    assert (first(report).cause, first(report).leg) == (Cause.TIME, "exit")
    assert first(report).why.key == "parity.why.by_hand"
    assert int(first(report).live) == trades[2].entry_ts + HOUR
    adds_up(report)


def test_an_entry_that_was_refused_is_named_with_its_reason(undisturbed, tmp_path):
    run, _ = undisturbed
    report = again(run, tmp_path, limits=Limits(max_order_notional=Decimal(1_000)))
    assert report.live_trades == 0
    assert whys(report) == {(Cause.MISSING, "refused")}
    assert dict(first(report).why.texts) == {"about": "refused.order_notional"}
    assert "more than one order may be" in first(report).why.said
    assert report.live_pnl == 0
    assert report.by_cause == {Cause.MISSING: -report.tested_pnl}
    adds_up(report)


def test_another_price_at_the_venue_is_named(undisturbed, tmp_path):
    run, _ = undisturbed
    candles = run.candles
    dearer = replace(candles, open=candles.open * 1.0005, high=candles.high * 1.0005)
    report = again(run, tmp_path, played=dearer)
    assert (first(report).cause, first(report).leg) == (Cause.PRICE, "entry")
    assert first(report).why.key == "parity.why.venue_price"
    assert Decimal(first(report).live) / Decimal(first(report).tested) == pytest.approx(Decimal("1.0005"))
    adds_up(report)


def test_less_volume_at_the_venue_is_named(undisturbed, tmp_path):
    run, _ = undisturbed
    thin = replace(run.candles, volume=run.candles.volume * 0 + 0.5)
    report = again(run, tmp_path, played=thin)
    assert (first(report).cause, first(report).why.key) == (Cause.SIZE, "parity.why.partial")
    adds_up(report)


def test_a_strategy_that_was_edited_is_named(undisturbed, tmp_path):
    run, _ = undisturbed
    same = changed(run, tmp_path)
    assert same.parity().differences == ()
    strategy_file(tmp_path, STOPS.replace("self.ema(15)", "self.ema(20)"))
    report = same.parity()
    assert (Cause.MISSING, "decided") in whys(report) or (Cause.EXTRA, "decided") in whys(report)
    adds_up(report)


def test_a_bot_that_was_suspended_is_named(undisturbed, tmp_path):
    run, trades = undisturbed

    async def suspend(desk: Desk) -> None:
        desk.tell(BotChanged(desk.clock.now_ms(), "bot", BotStatus.SUSPENDED))

    async def resume(desk: Desk) -> None:
        desk.tell(BotChanged(desk.clock.now_ms(), "bot", BotStatus.RUNNING))

    decided = hour_before(trades[2].entry_ts)
    report = again(run, tmp_path, acts={decided - HOUR: suspend, decided: resume})
    assert (first(report).cause, first(report).why.said) == (
        Cause.MISSING,
        "the bot was suspended by a person",
    )
    assert first(report).ts == trades[2].entry_ts
    adds_up(report)


def test_a_bot_that_was_stopped_missed_nothing(undisturbed, tmp_path):
    run, trades = undisturbed

    async def stop(desk: Desk) -> None:
        desk.bots.end("bot")
        desk.tell(BotChanged(desk.clock.now_ms(), "bot", BotStatus.STOPPED))

    report = again(run, tmp_path, acts={trades[3].exit_ts // HOUR * HOUR: stop})
    assert report.differences == ()
    assert report.missing == 0
    assert report.trades == 4


def test_all_positions_closed_by_a_person_are_named_and_the_refusals_after(undisturbed, tmp_path):
    run, trades = undisturbed

    async def flatten(desk: Desk) -> None:
        desk.tell(TradingChanged(desk.clock.now_ms(), TradingState.HALTED, flatten=True))

    report = again(run, tmp_path, acts={trades[2].entry_ts: flatten})
    assert (first(report).cause, first(report).why.key) == (Cause.TIME, "parity.why.flattened")
    later = report.differences[1:]
    assert later
    assert {(one.cause, *dict(one.why.texts).values()) for one in later} == {(Cause.MISSING, "refused.halted")}
    adds_up(report)


def test_a_guard_that_cambist_watched_is_named(undisturbed, tmp_path):
    run, _ = undisturbed
    traits = replace(run.traits, stops=False, oco=False)
    report = again(run, tmp_path, traits=traits)
    watched = [one for one in report.differences if one.why.key == "parity.why.watched"]
    assert watched
    assert all(one.leg == "exit" for one in watched)
    adds_up(report)


COUNTS = """
class Counts(Strategy):
    def init(self):
        self.quick, self.calm = self.ema(5), self.ema(15)
        self.crossings = 0

    def next(self):
        if crossed_above(self.quick, self.calm):
            self.crossings += 1
            if self.crossings % 2:
                self.buy(fraction=0.5, stop_loss=0.01, take_profit=0.015)
"""


def test_what_a_strategy_forgot_at_a_restart_is_named(tmp_path):
    async def restart(desk: Desk) -> None:
        desk.begin_anew()

    run = Paper(folder=tmp_path / "a", candles=market(900), strategy=strategy_file(tmp_path, COUNTS)).run()
    assert run.parity().differences == ()
    trades = [deal.trade for deal in read(run.account(), "bot", SqlJournal(run.url)).deals]
    # it has counted one crossing and lets the next go by; begun anew, it takes that for its first
    report = replace(run, folder=tmp_path / "b", acts={trades[0].exit_ts // HOUR * HOUR: restart}).run().parity()
    assert (first(report).cause, first(report).why.key) == (Cause.EXTRA, "parity.why.restarted")
    adds_up(report)


FAILS = """
class Fails(Strategy):
    def init(self):
        self.quick, self.calm = self.ema(5), self.ema(15)

    def next(self):
        if self.candles.ts[-1] >= {when}:
            raise RuntimeError("out of ideas")
        if crossed_above(self.quick, self.calm):
            self.buy(fraction=0.5, stop_loss=0.01, take_profit=0.015)
"""


def test_a_strategy_that_failed_live_fails_in_the_backtest_too(undisturbed, tmp_path):
    run, trades = undisturbed
    strategy = strategy_file(tmp_path, FAILS.replace("{when}", str(trades[3].entry_ts)))
    report = replace(run, folder=tmp_path, strategy=strategy).run().parity()
    assert report.differences == ()
    assert report.trades == 4
    assert [note.key for note in report.notes] == ["parity.note.failed"]
    assert "out of ideas" in report.notes[0].said


# -- of one day, and of what cannot be compared -----------------------------------------------------------------------


def test_one_day_holds_what_was_entered_or_ended_on_it(undisturbed):
    run, trades = undisturbed
    whole = run.parity()
    days = range(whole.since_ms // DAY_MS, (whole.until_ms - 1) // DAY_MS + 1)
    reports = {day: run.parity(day=day * DAY_MS) for day in days}
    assert sum(report.candles for report in reports.values()) == whole.candles == 600
    for day, report in reports.items():
        ours = {trade.entry_ts for trade in trades for ts in (trade.entry_ts, trade.exit_ts) if ts // DAY_MS == day}
        assert report.trades - len(ours) in (0, 1)  # one may be open at the end
        assert report.differences == ()


def test_a_day_on_which_nothing_was_seen_is_told(undisturbed):
    run, _ = undisturbed
    with pytest.raises(NotFound, match="saw no candle on that day: it ran from 2024-01-13"):
        run.parity(day=0)


def test_a_bot_that_never_ran_is_told(undisturbed):
    run, _ = undisturbed
    with pytest.raises(NotFound, match="other has never been started"):
        run.parity(bot="other")
