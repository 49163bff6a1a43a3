"""What the command line asks of a floor that runs: orders by hand, accounts halted and deleted, keys kept."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.e2e.floors import Home, boxed, health, line_of, stop, until

from cambist.apps import bootstrap
from cambist.apps.cli import account, order
from cambist.domain.account import HAND
from cambist.domain.errors import BadInput
from cambist.domain.standing import OrderStanding
from cambist.domain.trading import TradingState
from cambist.usecases.accounts import standings
from cambist.usecases.brokers import kept_credentials


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    one = Home(tmp_path / "home")
    yield one
    one.end()


def by_hand(home: Home) -> list[OrderStanding]:
    return [one for bot in home.stands().bots if bot.strategy == HAND for one in bot.orders]


def answered(home: Home, words: list[str], answers: str) -> Result:
    """Run a command on accounts, and answer what it asks."""
    return CliRunner().invoke(account.command, words, input=answers, env=home.environment)


def test_somebody_orders_by_hand_and_deletes_the_account(home: Home):
    home.run("account add paper --deposit 1000")
    process = home.up()
    until(lambda: "Sent: " in home.told("order buy btc/usdt --amount 100 --yes"), "the market has opened")
    until(lambda: home.stands().free < 1_000 and home.holdings().get("BTC"), "it has filled")

    assert "Held outside its bots: 0.00" in home.run("account show paper")

    # figures come first, and a no is a no
    asked = CliRunner().invoke(
        order.command, ["sell", "BTC/USDT", "--quantity", "0.001"], input="n\n", env=home.environment
    )
    assert "Sell this on paper? [y/N]" in asked.output
    assert "Sent" not in asked.output
    assert not by_hand(home)

    said = home.told("order buy BTC/USDT --amount 100 --limit 20000 --yes")
    assert "20,000.00 (limit)" in said
    (waits,) = until(lambda: by_hand(home), "it waits")
    assert (waits.price, waits.quantity) == (Decimal(20_000), Decimal("0.005"))
    assert waits.client_id in home.run("order list")
    home.told(f"order amend {waits.client_id} --limit 21000")
    until(lambda: [one.price for one in by_hand(home)] == [21_000], "it is ordered anew")
    refused = home.told("account delete paper --yes")
    assert "paper still holds positions or has orders under way" in refused
    assert "will not do" not in refused
    home.told(f"order cancel {by_hand(home)[0].client_id}")
    until(lambda: not by_hand(home), "it is taken back")
    assert "No order is under way" in home.run("order list")

    assert "does not hold that much free" in home.told("order sell BTC/USDT --quantity 5 --yes")
    assert "--amount: '0.5' will not do. Give at least 5 USDT" in home.told("order buy BTC/USDT --amount 0.5 --yes")
    assert "--amount: '0.01' will not do." in home.told("order buy BTC/USDT --amount 0.01 --yes")
    assert "--limit: '0' will not do" in home.run("order buy BTC/USDT --amount 9 --limit 0 --yes", code=1)
    assert "--limit or --stop, not both" in home.run("order buy BTC/USDT --amount 9 --limit 1 --stop 1", code=1)
    assert "No order nosuch by hand is open" in home.run("order cancel nosuch", code=1)
    assert "is deleted, with its bots" in home.run("account delete paper --yes --force")
    assert "no account yet" in home.run("account list")
    stop(process)


def test_without_an_engine_nothing_is_ordered(home: Home):
    home.run("account add paper")
    assert "nothing was ordered" in home.run("order buy BTC/USDT --amount 100 --yes", code=1)
    assert "price, trigger or quantity" in home.run("order amend c1", code=1)


def test_a_bot_that_cannot_run_says_why_wherever_somebody_looks(home: Home):
    home.run("account add small --deposit 100")
    home.run("bot create big ema_cross --account small --symbol BTC/USDT --timeframe 1m --budget 500")
    for starts in (1, 2):
        process = home.up()
        until(lambda: home.run("alerts").count("cannot run") >= starts, "it was tried")  # noqa: B023 - asked at once
        stop(process)
    shown = home.run("bot list")
    assert "big of the account small cannot run" in shown
    assert "Each start tries again: mend that, or delete big" in home.run("bot show big")
    assert home.run("alerts").count("cannot run") == 2  # once at each start


def test_all_accounts_are_halted_at_once_and_what_is_refused_hides_no_other(home: Home):
    for name in ("one", "two"):
        home.run(f"account add {name}")
    home.run("account add elsewhere --venue binance")  # this floor plays another market
    assert "Name one account, or give --all" in home.run("account halt", code=1)
    assert "Name one account, or give --all" in home.run("account halt one --all", code=1)
    process = home.up()
    url = line_of(process, "/healthz").split("Health: ")[1].split(". Stop")[0]
    until(lambda: health(url)[0] == 200, "it is up")
    said = home.told("account halt --all")
    assert "one is halted" in said
    assert "two is halted" in said
    assert "This floor plays simulated" in said
    stop(process)
    settings = home.settings
    found = standings(bootstrap.register(settings), bootstrap.journal(settings), bootstrap.traits_of)
    trading = {one.id: one.trading for one in found}
    assert trading == {"one": TradingState.HALTED, "two": TradingState.HALTED, "elsewhere": TradingState.ACTIVE}


def test_an_account_is_shown_with_what_was_set_as_it_is_written(home: Home):
    assert "kraken has no test exchange" in home.run("account add k --venue kraken --mode testnet", code=1)
    home.run("account add paper --deposit 500")
    assert "Limits: –" in home.run("account show paper")
    home.run("account set paper max_daily_loss=100 from_peak.flatten=0.2")
    shown = home.run("account show paper")
    assert "It began with 500 USDT." in shown
    assert "Limits: max_daily_loss=100 from_peak.flatten=0.2" in shown


def test_an_account_that_no_engine_runs_is_deleted_at_once(home: Home):
    home.run("account add paper")
    home.run("bot create b ema_cross --symbol BTC/USDT --timeframe 1m --budget 100")
    said = answered(home, ["delete", "paper"], "n\n")
    assert "bots (1). Delete it?" in said.output
    assert "b has not started yet" in home.run("bot list")
    assert "is deleted, with its bots" in answered(home, ["delete", "paper"], "y\n").output
    assert "no account yet" in home.run("account list")
    assert "no account 'paper'" in home.run("account delete paper --yes", code=1).lower()


def test_a_key_is_tried_and_kept_in_the_vault(tmp_path: Path):
    with boxed() as box:
        home = Home(tmp_path / "home", CAMBIST_VENUE_URL=box.url)
        home.run("account add main --venue binance --mode live")
        wrong = answered(home, ["key", "main"], "the-key\nanother\n")
        assert isinstance(wrong.exception, BadInput)
        assert wrong.exception.field == "secret"
        (spec,) = bootstrap.register(home.settings).accounts()
        assert kept_credentials(bootstrap.vault(home.settings), spec) is None
        said = answered(home, ["key", "main"], "the-key\nthe-secret\n")
        assert "20,000 USDT" in said.output
        assert "is kept in the vault" in said.output
        assert "the-secret" not in said.output
        kept = kept_credentials(bootstrap.vault(home.settings), spec)
        assert kept is not None
        assert (kept.api_key, kept.secret) == ("the-key", "the-secret")
        home.run("account add paper")
        assert "needs no key" in home.run("account key paper", code=1)
