"""Heartbeat, gateway and two engines as processes of their own, over Redis and PostgreSQL, live on a boxed exchange."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.databases import RedisServer
from tests.e2e.floors import ALWAYS_IN, HELD, Home, boxed, line_of, next_close, stop, until
from tests.unit.simulators.boxes import ask, price

from cambist.apps import bootstrap
from cambist.domain.account import BotStatus, Mode
from cambist.domain.timeframe import Timeframe
from cambist.simulators.binance import BinanceSimulator
from cambist.usecases.accounts import add_account
from cambist.usecases.bots import add_bot, tell_bot


@pytest.fixture
def box() -> Iterator[BinanceSimulator]:
    with boxed() as running:
        yield running


@pytest.fixture
def strategy(tmp_path: Path) -> str:
    file = tmp_path / "always.py"
    file.write_text(ALWAYS_IN, encoding="utf-8")
    return str(file)


@pytest.fixture
def apart(box: BinanceSimulator, redis_server: RedisServer, postgres_url: str, tmp_path: Path) -> Iterator[Home]:
    keys = {"CAMBIST_KEY_MAIN": "the-key", "CAMBIST_SECRET_MAIN": "the-secret"}
    one = Home(tmp_path, CAMBIST_VENUE_URL=box.url, DATABASE_URL=postgres_url, BUS_URL=redis_server.url, **keys)
    yield one
    one.end()


@pytest.fixture
def home(box: BinanceSimulator, tmp_path: Path) -> Iterator[Home]:
    one = Home(tmp_path, CAMBIST_VENUE_URL=box.url)
    yield one
    one.end()


def test_a_live_account_over_four_processes_and_the_death_of_one(apart: Home, box: BinanceSimulator, strategy: str):
    register = bootstrap.register(apart.settings)
    add_account(register, "main", venue="binance", mode=Mode.LIVE)
    add_bot(register, "b", account="main", strategy=strategy, symbol="BTC/USDT", timeframe=Timeframe.M1, budget="10000")
    tell_bot(register, "b", "start", 0)
    line_of(apart.start("run", "heartbeat"), "heartbeat runs")
    line_of(apart.start("run", "gateway", "--live"), "gateway runs")
    first = apart.start("run", "engine", "--live")
    line_of(first, "engine runs")
    until(lambda: apart.seated(1) and apart.bot("b").status is BotStatus.RUNNING, "the bot runs")
    line_of(apart.start("run", "engine", "--live"), "this one waits")

    by_hand = {"newClientOrderId": "byhand", "price": price(box, "0.5"), "timeInForce": "GTC"}
    mine = {"key": "the-key", "secret": "the-secret"}
    ask(box, "POST order", symbol="BTCUSDT", side="BUY", type="LIMIT", quantity="0.001", **by_hand, **mine)
    next_close(box)
    until(lambda: apart.bot("b").protection == "native" and apart.bot("b").quantity, "a protected position")
    assert apart.bot("b").quantity == box.exchange.balances("alice")["BTC"].total - HELD["BTC"]
    assert len(box.exchange.open_orders("alice")) == 3  # stop and target, one pair, and what is not ours

    first.send_signal(signal.SIGKILL)
    first.wait()
    seq = apart.stands().seq
    until(lambda: apart.stands().seq > seq, "the second has taken over")
    tell_bot(register, "b", "stop", 0, sell=True)
    until(lambda: apart.bot("b").status is BotStatus.STOPPED and not apart.bot("b").quantity, "stopped and flat")

    # an order that is not ours is shown, and left alone until a person says otherwise
    until(lambda: "byhand" in apart.run("account foreign main"), "it is seen")
    assert "cancelled" in apart.told("account cancel-foreign main --symbol BTC/USDT --order byhand")

    # the book is the exchange's truth, to the last digit, and nothing was ordered twice
    orders = box.exchange.orders("alice", "BTC/USDT")
    assert len({one.client_id for one in orders}) == len(orders) == 5
    assert not box.exchange.open_orders("alice")
    truth = {asset: one.total for asset, one in box.exchange.balances("alice").items() if one.total}
    assert apart.holdings() == truth
    assert not apart.stands().frozen


def test_paper_on_live_prices(home: Home, box: BinanceSimulator, strategy: str):
    home.run("account add paper --venue binance")
    home.run(f"bot create b {strategy} --symbol BTC/USDT --timeframe 1m --budget 5000")
    process = home.up("--venue", "binance")
    assert "b runs" in home.told("bot start b")
    next_close(box)
    until(lambda: home.bot("b").protection == "native" and home.bot("b").quantity, "a protected position")
    low, high = (box.exchange.price("BTC/USDT") * factor for factor in (99, 101))
    assert low < 100 * home.bot("b").entry_price < high  # the price is the exchange's
    assert not box.exchange.orders("alice", "BTC/USDT")  # the order is not
    assert "is stopped" in home.told("bot stop b --sell")
    until(lambda: not home.bot("b").quantity, "flat")
    stop(process)


def test_real_money_moves_only_when_live_is_typed_out(home: Home, box: BinanceSimulator, strategy: str):
    home.run("account add main --venue binance --mode live")
    home.run(f"bot create b {strategy} --account main --symbol BTC/USDT --timeframe 1m --budget 5000")
    process = home.up("--venue", "binance")
    assert "only when --live is typed out" in home.told("bot start b")
    stop(process)
    process = home.up("--venue", "binance", "--live")
    assert "CAMBIST_KEY_MAIN" in home.told("bot start b")
    stop(process)
    assert not box.exchange.orders("alice", "BTC/USDT")
