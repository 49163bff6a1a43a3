"""Accounts, bots and orders as one-shot commands print them: each is there, in both languages, in words."""

import io
from dataclasses import replace
from decimal import Decimal

import pytest
from rich.console import Console, RenderableType
from tests.unit.engine.test_standing import holding

from cambist.apps.cli.standings import (
    accounts_table,
    amount_text,
    bot_details,
    bots_table,
    gain_cell,
    money,
    orders_table,
    price_text,
)
from cambist.domain.account import BotStatus, Mode
from cambist.domain.standing import AccountStanding
from cambist.domain.text import Language, say, speak
from cambist.domain.trading import TradingState
from cambist.engine.standing import account_standing


@pytest.fixture(autouse=True)
def english():
    yield
    speak("en")


@pytest.fixture
def account() -> AccountStanding:
    """An account whose bot holds 50 BTC, bought at 100.05, with its guards at the venue."""
    return account_standing(holding(stop_loss=0.02, take_profit=0.04).account, 9)


def printed(what: RenderableType, width: int = 200) -> str:
    console = Console(width=width, file=io.StringIO(), record=True, highlight=False)
    console.print(what)
    return console.export_text()


def row(text: str, start: str) -> str:
    (found,) = (line for line in text.splitlines() if line.startswith(start))
    return found


def with_bot(account: AccountStanding, **how) -> AccountStanding:
    return replace(account, bots=(replace(account.bots[0], **how),))


def test_accounts_are_listed_with_what_somebody_should_look_at(account):
    calm = row(printed(accounts_table([account])), "paper")
    assert "simulated" in calm
    assert "active" in calm
    assert money(account.equity, "USDT") in calm
    assert calm.rstrip().endswith("–"), "read off a journal, nobody knows whether the venue is there"
    worried = replace(account, trading=TradingState.HALTED, unknown=("a", "b"), ready=False, mode=Mode.LIVE)
    text = printed(accounts_table([account, worried]))
    assert "REAL MONEY" in text
    assert "not connected to its venue · trading: halted · orders without an answer: 2" in text


def test_bots_are_listed_with_all_that_they_hold(account):
    line = row(printed(bots_table([account])), "bot")
    for part in ("ema_cross", "BTC/USDT 1m", "running", "+50", "100.050", "protected at the venue", "98.0500"):
        assert part in line
    assert "104.060" in line
    several = printed(bots_table([account, replace(account, id="other")]))
    assert "other" in several
    assert "paper" in several


@pytest.mark.parametrize("width", [72, 80, 100, 120, 160])
def test_a_narrow_terminal_loses_columns_of_the_bots_not_letters(account, width):
    long = replace(account.bots[0], strategy="strategies/mine/my_own_idea.py:Idea")
    terminal = Console(file=io.StringIO(), width=width)
    for language in ("en", "fr"):
        speak(language)
        text = printed(bots_table([replace(account, bots=(long,))], terminal), width)
        assert "…" not in text
        for part in ("bot", "BTC/USDT 1m", "+50", say("protection.native")):
            assert part in text
        assert ("my_own_idea.py:Idea" in text) is (width >= 120)
        assert "strategies/" not in text


@pytest.mark.parametrize(
    ("how", "english_words", "french_words"),
    [
        ({"protection": "none_wanted"}, "UNPROTECTED", "SANS PROTECTION"),
        ({"protection": "emulated"}, "watched by Cambist", "surveillée par Cambist"),
        ({"closing": True}, "being closed", "en fermeture"),
        ({"status": BotStatus.PAUSED}, "PAUSED", "EN PAUSE"),
    ],
)
def test_states_are_words_not_only_colours(account, how, english_words, french_words):
    both: tuple[tuple[Language, str], ...] = (("en", english_words), ("fr", french_words))
    for language, words in both:
        speak(language)
        for table in (bots_table([with_bot(account, **how)]), bot_details(account, with_bot(account, **how).bots[0])):
            assert words in printed(table)


def test_orders_are_listed_those_first_that_nobody_knows_of(account):
    stop, target = account.bots[0].orders
    assert "sell stop-loss" in printed(orders_table([account]))
    lost = replace(target, life="unknown", filled=Decimal("1.5"))
    lines = printed(orders_table([with_bot(account, orders=(stop, lost))])).splitlines()
    assert "UNKNOWN" in lines[1]
    assert "1.5 of 50" in lines[1]
    assert lost.client_id in lines[1]
    assert "98.0500" in lines[2]


def test_a_bot_is_told_of_in_full(account):
    (bot,) = account.bots
    text = printed(bot_details(account, bot), 80)
    for part in ("bot", "ema_cross", "+50 (long)", "100.050", "protected at the venue", "98.0500", "104.060"):
        assert part in text
    assert all(order.client_id in printed(bot_details(account, bot)) for order in bot.orders)
    flat = printed(bot_details(account, replace(bot, quantity=Decimal(0), orders=())))
    assert "none" in flat
    assert "Protection" not in flat
    assert "No order is under way." in flat
    speak("fr")
    assert "aucune" in printed(bot_details(account, replace(bot, quantity=Decimal(0), orders=())))


def test_nothing_is_said_so():
    assert "no account" in printed(accounts_table([]))
    assert "no bot" in printed(bots_table([]))
    assert "No order" in printed(orders_table([]))


def test_figures_are_read_as_people_write_them():
    assert price_text(Decimal("67450.1")) == "67,450.10"
    assert price_text(Decimal("0.00012345")) == "0.000123450"
    assert price_text(None) == "–"
    assert amount_text(Decimal("0.00450000")) == "0.0045"
    assert amount_text(Decimal("1E+3")) == "1,000"
    assert gain_cell(Decimal("0.004"), beside=Decimal(100)).plain == "0.00", "what rounds to nothing has no sign"
    assert gain_cell(Decimal("-0.3098"), Decimal(100), "USDT").plain == "−0.31\u00a0USDT (−0.31%)"
    assert gain_cell(Decimal("12.5"), beside=Decimal(100)).plain == "+12.50"
    speak("fr")
    assert gain_cell(Decimal("1234.5"), beside=Decimal(100)).plain == "+1\u202f234,50"


def test_orders_by_hand_are_no_bots_and_say_of_which_account_they_are(account):
    by_hand = with_bot(account, strategy="hand", id="hand:BTC/USDT")
    assert "hand:" not in printed(bots_table([account, by_hand]))
    first, second = (row(printed(accounts_table([one])), "paper") for one in (account, by_hand))
    assert first != second
    several = printed(orders_table([replace(by_hand, id="main"), by_hand]))
    assert {line.split()[0] for line in several.splitlines() if "by hand" in line} == {"main", "paper"}
    assert "hand:" not in several


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_id_by_which_an_order_by_hand_is_changed_comes_first_and_whole(account, language):
    speak(language)
    by_hand = with_bot(account, strategy="hand", id="hand:BTC/USDT")
    terminal = Console(file=io.StringIO(), width=80)
    lines = printed(orders_table([replace(by_hand, id="main"), by_hand], terminal, by_hand=True), 80).splitlines()
    assert [line.split()[0] for line in lines[1:]] == [order.client_id for order in by_hand.bots[0].orders] * 2
    assert "hand" not in "".join(lines)


def test_what_an_account_has_that_has_not_begun_is_not_said_to_be_nothing(account):
    new = replace(account, seq=0, bots=(), free=Decimal(0), equity=Decimal(0))
    figures = row(printed(accounts_table([new])), "paper").split()
    assert figures[-4:] == ["–", "0", "0", "–"]
