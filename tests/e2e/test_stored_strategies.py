"""Stored strategies on a trading floor: one trades through the jail, others misbehave and are paused alone."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.e2e.floors import Home, stop, until
from tests.unit.sandbox.jail import HOLDS

from cambist.apps import bootstrap
from cambist.domain.account import BotSpec, BotStatus, Mode
from cambist.domain.errors import BadStrategy, NotFound
from cambist.domain.strategy_text import StoredStrategy, stored_name
from cambist.domain.timeframe import Timeframe
from cambist.usecases.accounts import add_account
from cambist.usecases.bots import tell_bot

pytestmark = HOLDS
IN_AND_OUT = """
class InAndOut(Strategy):
    every = param(2, low=1, high=10)

    def init(self):
        self.seen = 0
        self.calm = self.ema(20)

    def next(self):
        self.seen += 1
        if self.position:
            self.close()
        elif self.seen % self.every == 0:
            self.buy(fraction=0.5, stop_loss=0.02)
"""
READS = """
class Reads(Strategy):
    seen = 0

    def next(self):
        self.seen += 1
        if self.seen == 5:
            {}
"""
BREACHES = {
    "file": "open('/etc/passwd')",
    "leave": "raise SystemExit(3)",
    "crash": "__import__('ctypes', {'__name__': 'x'}).string_at(0)",
    "memory": "bytearray(9 << 30)",
}
WHY = {"file": "Permission denied", "leave": "SystemExit", "crash": "SIGSEGV", "memory": "MemoryError"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    one = Home(tmp_path / "home")
    yield one
    one.end()


def kept(home: Home, name: str, code: str, user_id: int = 1) -> str:
    """Put a strategy on the shelf of a user, and return what bots call it."""
    shelf = bootstrap.strategies(home.settings, user_id)
    return stored_name(shelf.add(StoredStrategy(user_id=user_id, name=name), code).id, 1)


def spec_of(name: str, strategy: str, account: str, user_id: int = 1) -> BotSpec:
    return BotSpec(
        id=name,
        user_id=user_id,
        account=account,
        strategy=strategy,
        params={},
        symbol="BTC/USDT",
        timeframe=Timeframe.M1,
        budget=Decimal(1_000),
    )


def bot(home: Home, name: str, strategy: str, account: str) -> None:
    """Set up a bot, and ask for its start."""
    register = bootstrap.register(home.settings)
    register.add_bot(spec_of(name, strategy, account))
    tell_bot(register, name, "start", 0)


def test_a_stored_strategy_trades_and_those_that_breach_are_paused_alone(home: Home):
    register = bootstrap.register(home.settings)
    add_account(register, "main", venue="simulated", mode=Mode.PAPER)
    bot(home, "good", kept(home, "in and out", IN_AND_OUT), "main")
    for name, breach in BREACHES.items():
        bot(home, name, kept(home, name, READS.format(breach)), "main")
    process = home.up()

    def paused() -> dict[str, str]:
        alerts = register.alerts(200)
        return {alert.bot: str(alert.params["why"]) for alert in alerts if alert.key == "trading.paused"}

    until(lambda: set(paused()) == set(BREACHES), "every breach is paused")
    for name, why in paused().items():
        assert WHY[name] in why
        until(lambda name=name: home.bot(name).status is BotStatus.PAUSED, "it is paused")  # type: ignore[misc]
    trades = home.bot("good").trades
    until(lambda: home.bot("good").trades >= trades + 3, "the other goes on")
    assert home.bot("good").status is BotStatus.RUNNING

    before = len([one for one in register.alerts(200) if one.bot == "leave"])
    tell_bot(register, "leave", "start", 0)  # it begins anew, and comes to the same end
    until(lambda: len([one for one in register.alerts(200) if one.bot == "leave"]) > before, "it fails again")
    stop(process)


def test_nobody_runs_what_another_has_stored(home: Home):
    mine = kept(home, "mine", IN_AND_OUT)
    with pytest.raises(NotFound):
        bootstrap.open_strategy(home.settings, spec_of("thief.7", mine, "theirs.7", 7))
    opened = bootstrap.open_strategy(home.settings, spec_of("owner", mine, "main"))
    assert opened.warm_up(Timeframe.M1) >= 20
    opened.close()


def test_nobody_but_who_runs_the_server_runs_its_files(home: Home):
    file = home.settings.home / "own.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(IN_AND_OUT, encoding="utf-8")
    with pytest.raises(BadStrategy):
        bootstrap.open_strategy(home.settings, spec_of("reader.7", str(file), "theirs.7", 7))
    assert bootstrap.open_strategy(home.settings, spec_of("own", str(file), "main")).warm_up(Timeframe.M1) >= 20
    assert bootstrap.open_strategy(home.settings, spec_of("sample.7", "ema_cross", "theirs.7", 7)) is not None
