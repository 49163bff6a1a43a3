"""The trading floor as a user runs it: started, talked to, killed, started again, and taken over."""

import os
import signal
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.floors import PATIENCE_S, Home, health, line_of, shown, stop, until

from cambist.apps import bootstrap
from cambist.domain.account import AccountSpec, BotStatus, Mode
from cambist.domain.trading import TradingState
from cambist.engine.account import Account
from cambist.engine.recovery import recover, snapshot_of


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    one = Home(tmp_path / "home")
    yield one
    one.end()


def test_a_floor_from_nothing_to_trades_and_over_a_kill(home: Home):
    process = home.up()
    url = line_of(process, "/healthz").split("Health: ")[1].split(".  ")[0].split(". Stop")[0]
    until(lambda: health(url)[0] == 200, "well")
    metrics = urllib.request.urlopen(url.replace("healthz", "metrics"), timeout=PATIENCE_S).read().decode()
    assert "cambist_events_total" in metrics
    until(lambda: sum(bot.trades for bot in home.stands().bots) >= 3, "three trades")
    process.send_signal(signal.SIGKILL)
    process.wait()

    # what the journal says after the kill is what the next start begins with, to the last digit
    settings = home.settings
    (spec,) = bootstrap.register(settings).accounts()
    found = recover(Account(spec, bootstrap.traits_of(spec)), bootstrap.journal(settings))
    assert not found.differs
    before = snapshot_of(found.account)
    assert before == snapshot_of(recover(Account(spec, bootstrap.traits_of(spec)), bootstrap.journal(settings)).account)
    trades = sum(bot.trades for bot in home.stands().bots)
    process = home.up()
    until(lambda: sum(bot.trades for bot in home.stands().bots) >= trades + 2, "more trades")
    stop(process)
    stands = home.stands()
    assert not stands.frozen  # the exchange and the book agreed at every comparison
    assert not stands.unknown
    assert all(bot.protection == "native" for bot in stands.bots if bot.quantity and bot.stop_loss is not None)
    shown = home.run("heartbeat --last 3")
    assert "primary" in shown
    assert shown.count("simulated ") == 3
    alerts = {alert.key for alert in bootstrap.register(settings).alerts(500)}
    assert not alerts & {"trading.frozen", "trading.journal_differs", "trading.unknown", "trading.paused"}


def test_a_budget_beyond_the_cash_is_refused_with_what_there_is(home: Home):
    assert "There are no alerts" in home.run("alerts")
    home.run("account add small --deposit 100")
    home.run("bot create big ema_cross --account small --symbol BTC/USDT --timeframe 1m --budget 500")
    process = home.up()
    said = home.told("bot start big")
    assert "has 100 USDT free" in said
    assert "There are no alerts" not in home.run("alerts")  # it could not start with the floor either
    stop(process)


def test_people_suspend_stop_sell_and_halt(home: Home):
    process = home.up()
    until(lambda: home.seated(2), "two bots")
    # as the README goes on from the first floor
    mine = home.told("bot create mine ema_cross --symbol BTC/USDT --timeframe 15m --budget 1000 --start")
    assert "mine runs" in mine
    holding = until(lambda: [bot.id for bot in home.stands().bots if bot.quantity], "a position")
    held = holding[0]
    assert "suspended" in home.told(f"bot suspend {held}")
    assert home.bot(held).status is BotStatus.SUSPENDED
    assert "runs again" in home.told(f"bot resume {held}")
    said = home.told("account halt paper --flatten")
    assert "halted" in said
    until(lambda: not any(bot.quantity for bot in home.stands().bots), "flat")
    assert home.stands().trading is TradingState.HALTED
    assert "holds nothing" in home.told(f"bot sell {held}")
    assert "is stopped" in home.told(f"bot stop {held} --yes")
    assert home.bot(held).status is BotStatus.STOPPED
    shown = home.run(f"bot show {held}")
    assert held in shown
    assert "stopped" in shown
    assert "is deleted; its money" in home.told(f"bot delete {held} --yes")  # a bot of an active account may hold again
    listed = home.run("bot list")
    assert held not in listed
    assert "No engine runs" not in listed
    assert "may trade" in home.told("account activate paper")
    assert "takes them up" in home.run("account set paper max_open_positions=1 from_peak.flatten=0.5")
    stop(process)
    for words in ("bot list", "bot show mine"):
        assert "No engine runs" in home.run(words), "what is shown as running does not decide"


def test_a_second_engine_waits_and_takes_over_when_the_first_dies(home: Home):
    first = home.up()
    until(lambda: home.seated(2), "two bots")
    second = home.up()
    line_of(second, "this one waits")
    seq = home.stands().seq
    first.send_signal(signal.SIGKILL)
    first.wait()
    until(lambda: home.stands().seq > seq + 5, "entries of the second")
    stop(second)


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal as Unix has it")
def test_the_view_in_a_terminal_and_a_second_one_that_would_show_nothing(home: Home):
    process, terminal = home.in_terminal("up", "--port", "0", "--no-api", "--speed", "600")
    shown(terminal, "beating")
    picture = shown(terminal, "running")
    assert "rsi_reversion" in picture
    second, other = home.in_terminal("up", "--port", "0", "--no-api")
    assert "--headless" in shown(other, "--headless")
    assert second.wait(timeout=PATIENCE_S) == 1
    process.send_signal(signal.SIGINT)
    assert "Everything is kept" in shown(terminal, "Everything is kept")
    assert process.wait(timeout=PATIENCE_S) == 0
    for one in (terminal, other):
        os.close(one)


def test_without_an_engine_a_wish_waits_for_one(home: Home):
    home.run("account add paper")
    home.run("bot create b ema_cross --symbol btc/usdt --timeframe 1m --budget 100 --set fast=5")
    assert "b has not started yet" in home.run("bot list")
    assert "No engine has answered" in home.run("bot start b")
    process = home.up()
    until(lambda: home.stands().bots and home.bot("b").status is BotStatus.RUNNING, "b runs")
    stop(process)


def test_what_a_floor_cannot_do_is_said(home: Home):
    assert "simulated binance" in home.run("up --venue nyse", code=1)
    assert "redis://" in home.run("run engine", code=1)
    assert "letter first" in home.run("account add 7up", code=1)
    home.run("account add paper")
    assert "Write it as BTC/USDT" in home.run(
        "bot create b ema_cross --symbol BTC/EUR --timeframe 1m --budget 100", code=1
    )
    assert "1m 3m 5m" in home.run("bot create b ema_cross --symbol BTC/USDT --timeframe 1w --budget 100", code=1)
    assert "above 0" in home.run("bot create b ema_cross --symbol BTC/USDT --timeframe 1m --budget -1", code=1)
    assert "no bot 'b'" in home.run("bot start b", code=1)
    assert "max_order_notional" in home.run("account set paper max_orders=3", code=1)


def test_an_account_whose_venue_nobody_knows_is_not_kept_and_hides_no_other(home: Home):
    assert "nosuch" in home.run("account add t3 --mode testnet --venue nosuch", code=1)
    assert "simulated binance" in home.run("account add t4 --venue kraken", code=1)  # no floor plays it on paper
    assert "no account yet" in home.run("account list")
    # one that an older Cambist kept
    gone = AccountSpec(id="gone", user_id=1, venue="nosuch", mode=Mode.TESTNET, quote="USDT")
    bootstrap.register(home.settings).add_account(gone)
    assert "gone is left out: venue: 'nosuch'" in home.run("account list")
    home.run("account add paper")
    home.run("bot create b ema_cross --symbol BTC/USDT --timeframe 1m --budget 100")
    for listing, shown_too in (("account list", "paper"), ("bot list", "b has not started yet")):
        said = home.run(listing)
        assert shown_too in said
        assert "gone is left out" in said
    assert "'nosuch' will not do" in home.run("account show gone", code=1)


def test_bots_take_their_parameters_as_backtests_do(home: Home):
    home.run("account add paper")
    at = "--symbol BTC/USDT --timeframe 1m --budget 100"
    home.run(f"bot create b1 ema_cross {at} --set fast=8 slow=30")
    home.run(f"bot create b2 ema_cross {at} --set fast=8,slow=30")
    for spec in bootstrap.register(home.settings).bots():
        assert spec.params == {"fast": "8", "slow": "30"}
    assert "--set: 'fast' will not do" in home.run(f"bot create b3 ema_cross {at} --set fast", code=1)


def test_refusals_name_what_was_written(home: Home):
    home.run("account add paper")
    at = "--symbol BTC/USDT --timeframe 1m --budget 100"
    late = home.run(f"bot create b ema_cross {at} --since 2030-01-01 --until 2029-01-01", code=1)
    assert "--until: '2029-01-01' will not do" in late
    home.run(f"bot create b ema_cross {at}")
    assert "was deleted: its name stays taken" in home.run(f"bot create b ema_cross {at}", code=1)
    assert "max_daily_loss: '-1' will not do" in home.run("account set paper max_daily_loss=-1", code=1)
    assert "--api: 'foo' will not do" in home.run("up --headless --port 0 --api foo", code=1)
    assert "--for: 'nan' will not do" in home.run("up --headless --no-api --port 0 --for nan", code=1)
    assert "--speed: 'nan' will not do" in home.run("simulate exchange --speed nan", code=1)
    assert "`cambist searches`" in home.run("searches x", code=1)
    for command in ("demo", "drill ema_cross", "simulate exchange"):
        assert "x>=0" in home.run(f"{command} --seed -1", code=2)
