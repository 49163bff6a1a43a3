"""A home of its own for a trading floor, and an exchange in a box for it to trade on."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cambist.apps import bootstrap
from cambist.apps.cli import asking
from cambist.apps.cli.main import main
from cambist.apps.settings import load
from cambist.domain.standing import AccountStanding, BotStanding
from cambist.domain.text import speak
from cambist.domain.timeframe import MINUTE_MS
from cambist.market.synthetic import synthetic_market, synthetic_rules
from cambist.simulators.binance import BinanceSimulator, Customer
from cambist.simulators.clock import Clock
from cambist.usecases.accounts import standings

CAMBIST = [sys.executable, "-c", "from cambist.apps.cli.main import main; main()"]
PATIENCE_S = 300
HELD = {"USDT": Decimal(20_000), "BTC": Decimal(1)}
ALWAYS_IN = """
from cambist import Strategy


class AlwaysIn(Strategy):
    def next(self):
        if not self.position:
            self.buy(fraction=0.5, stop_loss=0.02, take_profit=0.04)
"""


class Home:
    """A folder of its own, and the commands in it."""

    def __init__(self, folder: Path, **variables: str) -> None:
        plain = {"CAMBIST_HOME": str(folder), "CAMBIST_LANG": "en", "COLUMNS": "200"}
        ours = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "BUS_URL")}
        self.environment = ours | plain | variables
        self.settings = load(self.environment)
        self._running: list[subprocess.Popen[str]] = []

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command that runs on."""
        process = subprocess.Popen(
            [*CAMBIST, *words], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._running.append(process)
        return process

    def up(self, *options: str) -> subprocess.Popen[str]:
        """Start the floor, quick and without a view."""
        return self.start("up", "--headless", "--port", "0", "--speed", "1800", "--no-api", *options)

    def in_terminal(self, *words: str) -> tuple[subprocess.Popen[str], int]:
        """Start a command in a terminal of 120 columns; return it and what to read the terminal from."""
        ours, its = os.openpty()
        size = {"COLUMNS": "120", "LINES": "40", "TERM": "xterm-256color"}
        process = subprocess.Popen(
            [*CAMBIST, *words], env=self.environment | size, stdin=its, stdout=its, stderr=its, text=True
        )
        os.close(its)
        self._running.append(process)
        return process, ours

    def run(self, words: str, *, code: int | None = 0) -> str:
        """Run a command to its end, and return what it said; it ends with ``code``, or (None) as it likes.

        In this process, which is another one than the floor's, as a person's is: one of its own would spend a second
        on imports each time.
        """
        said = io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            for variable in os.environ.keys() - self.environment.keys():
                patch.delenv(variable)
            for variable, value in self.environment.items():
                patch.setenv(variable, value)
            with redirect_stdout(said), redirect_stderr(said), pytest.raises(SystemExit) as ended:
                main(words.split())
        speak("en")
        assert code is None or (ended.value.code or 0) == code, said.getvalue()
        return said.getvalue()

    def told(self, words: str) -> str:
        """Run a command that asks a running engine for something, and return the answer, however long that takes.

        It may be a refusal, which ends the command with 1.
        """
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asking, "_SOON_S", PATIENCE_S)  # people stop waiting sooner than a slow machine answers
            return self.run(words, code=None)

    def stands(self) -> AccountStanding:
        """Return how the only account stands."""
        settings = self.settings
        (found,) = standings(bootstrap.register(settings), bootstrap.journal(settings), bootstrap.traits_of)
        return found

    def bot(self, name: str) -> BotStanding:
        """Return how one bot stands."""
        return next(bot for bot in self.stands().bots if bot.id == name)

    def seated(self, count: int) -> bool:
        """Tell whether there is an account, and the engine has taken in ``count`` bots."""
        return bool(bootstrap.register(self.settings).accounts()) and len(self.stands().bots) == count

    def holdings(self) -> dict[str, Decimal]:
        """Return what the only account holds by its ledger, summed from its lines."""
        held: dict[str, Decimal] = {}
        for entry in bootstrap.journal(self.settings).ledger(self.stands().id):
            for line in entry.lines:
                if line.place not in ("market", "fees", "outside"):
                    held[line.asset] = held.get(line.asset, Decimal(0)) + line.amount
        return {asset: amount for asset, amount in held.items() if amount}

    def end(self) -> None:
        """Kill what still runs."""
        for process in self._running:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def until(true: Callable[[], Any], what: str) -> Any:
    """Wait for something that happens in another process."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {PATIENCE_S} s: {what}")


def line_of(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return line
    raise AssertionError(f"it ended without saying {text!r}")


def shown(terminal: int, text: str) -> str:
    """Return what a terminal showed, up to and with ``text``."""
    seen = ""
    while text not in seen:
        try:
            read = os.read(terminal, 65_536).decode("utf-8", "replace")
        except OSError:  # its program has ended
            read = ""
        assert read, f"it ended without showing {text!r}: {seen[-2_000:]}"
        seen += read
    return seen


def health(url: str) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=PATIENCE_S) == 0


def boxed() -> BinanceSimulator:
    """Return an exchange at the present minute, with one customer, Alice."""
    now = int(time.time() * 1_000) // MINUTE_MS * MINUTE_MS
    market = synthetic_market(("BTC/USDT",), start_ms=now - 300 * MINUTE_MS, count=400, timeframe="1m", seed=5)
    candles = market["BTC/USDT"]
    customer = Customer(key="the-key", secret="the-secret", balances=HELD, name="alice")
    rules = [synthetic_rules(candles, "binance")]
    return BinanceSimulator(candles, instruments=rules, customers=[customer], clock=Clock())


def next_close(box: BinanceSimulator) -> None:
    """Let the exchange's minute end now."""
    box.advance(MINUTE_MS - box.now_ms % MINUTE_MS + 1)
