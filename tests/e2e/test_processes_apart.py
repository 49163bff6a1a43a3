"""Heartbeat, gateway and two engines as processes of their own, over Redis and PostgreSQL, live on a boxed exchange."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.databases import RedisServer
from tests.e2e.test_floor import CAMBIST, line_of, until

from cambist.apps import bootstrap
from cambist.apps.settings import load
from cambist.domain.account import Mode
from cambist.domain.standing import AccountStanding
from cambist.domain.timeframe import MINUTE_MS
from cambist.market.synthetic import synthetic_market, synthetic_rules
from cambist.simulators.binance import BinanceSimulator, Customer
from cambist.simulators.clock import Clock
from cambist.usecases.accounts import add_account, standings
from cambist.usecases.bots import add_bot, tell_bot

STRATEGY = """
from cambist import Strategy


class AlwaysIn(Strategy):
    def next(self):
        if not self.position:
            self.buy(fraction=0.5, stop_loss=0.02, take_profit=0.04)
"""
HELD = {"USDT": Decimal(20_000), "BTC": Decimal(1)}


class Parts:
    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.settings = load(environment)
        self.running: dict[str, subprocess.Popen[str]] = {}

    def start(self, name: str, *words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*CAMBIST, "run", *words],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.running[name] = process
        return process

    def stands(self) -> AccountStanding:
        (found,) = standings(
            bootstrap.register(self.settings), bootstrap.journal(self.settings), bootstrap.traits_of, "main"
        )
        return found

    def end(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


@pytest.fixture
def box() -> Iterator[BinanceSimulator]:
    now = int(time.time() * 1_000) // MINUTE_MS * MINUTE_MS
    candles = synthetic_market(("BTC/USDT",), start_ms=now - 300 * MINUTE_MS, count=400, timeframe="1m", seed=5)[
        "BTC/USDT"
    ]
    customer = Customer(key="the-key", secret="the-secret", balances=HELD, name="alice")
    rules = [synthetic_rules(candles, "binance")]
    with BinanceSimulator(candles, instruments=rules, customers=[customer], clock=Clock()) as running:
        yield running


@pytest.fixture
def parts(box: BinanceSimulator, redis_server: RedisServer, postgres_url: str, tmp_path: Path) -> Iterator[Parts]:
    one = Parts(
        os.environ
        | {
            "CAMBIST_HOME": str(tmp_path),
            "CAMBIST_LANG": "en",
            "CAMBIST_VENUE_URL": box.url,
            "CAMBIST_KEY_MAIN": "the-key",
            "CAMBIST_SECRET_MAIN": "the-secret",
            "DATABASE_URL": postgres_url,
            "BUS_URL": redis_server.url,
        }
    )
    yield one
    one.end()


def next_close(box: BinanceSimulator) -> None:
    """Let the exchange's minute end now."""
    box.advance(MINUTE_MS - box.now_ms % MINUTE_MS + 1)


def test_a_live_account_over_four_processes_and_the_death_of_one(parts: Parts, box: BinanceSimulator, tmp_path: Path):
    strategy = tmp_path / "always.py"
    strategy.write_text(STRATEGY, encoding="utf-8")
    register = bootstrap.register(parts.settings)
    add_account(register, "main", venue="binance", mode=Mode.LIVE)
    add_bot(register, "b", account="main", strategy=str(strategy), symbol="BTC/USDT", timeframe="1m", budget="10000")
    tell_bot(register, "b", "start", 0)
    line_of(parts.start("heartbeat", "heartbeat"), "heartbeat runs")
    line_of(parts.start("gateway", "gateway", "--live"), "gateway runs")
    first = parts.start("first", "engine", "--live")
    line_of(first, "engine runs")
    until(lambda: parts.stands().bots and str(parts.stands().bots[0].status) == "running", "the bot runs")
    second = parts.start("second", "engine", "--live")
    line_of(second, "this one waits")

    next_close(box)
    held = until(lambda: _held(parts), "a protected position")
    assert held == box.exchange.balances("alice")["BTC"].total - HELD["BTC"]
    (pair,) = {frozenset(one.client_id for one in box.exchange.open_orders("alice"))}
    assert len(pair) == 2

    first.send_signal(signal.SIGKILL)
    first.wait()
    seq = parts.stands().seq
    until(lambda: parts.stands().seq > seq, "the second has taken over")
    next_close(box)
    tell_bot(register, "b", "sell", 0)
    until(lambda: not box.exchange.open_orders("alice") and not _quantity(parts), "flat")
    tell_bot(register, "b", "stop", 0, sell=True)
    until(lambda: str(parts.stands().bots[0].status) == "stopped" and not _quantity(parts), "stopped and flat")

    # the book is the exchange's truth, to the last digit, and nothing was ordered twice
    orders = box.exchange.orders("alice", "BTC/USDT")
    assert len({one.client_id for one in orders}) == len(orders)
    ledger = _holdings(parts)
    truth = {asset: one.total for asset, one in box.exchange.balances("alice").items() if one.total}
    assert ledger == truth
    assert not parts.stands().frozen


def _held(parts: Parts) -> Decimal | None:
    (bot,) = parts.stands().bots
    return bot.quantity if bot.quantity and bot.protection == "native" else None


def _quantity(parts: Parts) -> Decimal:
    return parts.stands().bots[0].quantity


def _holdings(parts: Parts) -> dict[str, Decimal]:
    held: dict[str, Decimal] = {}
    for entry in bootstrap.journal(parts.settings).ledger("main"):
        for line in entry.lines:
            if line.place not in ("market", "fees", "outside"):
                held[line.asset] = held.get(line.asset, Decimal(0)) + line.amount
    return {asset: amount for asset, amount in held.items() if amount}
