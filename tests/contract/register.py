"""What every `Register` keeps to: an adapter's test inherits `RegisterContract` and gives ``open_register``."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from itertools import count
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.book import a_bot, an_account, fresh
from tests.contract.result_store import JSON, TEXTS
from tests.contract.room import found_room

from cambist.domain.account import Mode
from cambist.domain.alert import Alert, Level
from cambist.domain.errors import BadInput, NotFound, TooMany
from cambist.domain.timeframe import Timeframe
from cambist.ports.book import Register, Request

OpenRegister = Callable[[int | None], Register]
"""Opens the register as the user of an id; None is the engine."""

_users = count(1)


class RegisterContract:
    @pytest.fixture
    def user(self) -> int:
        """Return a user who has nothing yet."""
        return next(_users)

    @pytest.fixture
    def mine(self, open_register: OpenRegister, user: int) -> Register:
        return open_register(user)

    @pytest.fixture
    def engine(self, open_register: OpenRegister) -> Register:
        return open_register(None)

    def test_accounts_are_listed_by_id(self, mine, user):
        added = [an_account(id=fresh(name), user_id=user, mode=mode) for name, mode in zip("cab", Mode, strict=True)]
        for account in added:
            mine.add_account(account)
        assert mine.accounts() == sorted(added, key=lambda account: account.id)

    def test_what_is_set_on_an_account_replaces_what_was(self, open_register, mine, user):
        one, other = an_account(user_id=user), an_account(user_id=user, settings={"a": 1})
        mine.add_account(one)
        mine.add_account(other)
        limits = {"limits": {"max_order_notional": "1000.10"}}
        assert mine.change_account(one.id, lambda before: {**(before or {}), **limits}) == replace(one, settings=limits)
        mine.change_account(other.id, lambda before: None)
        known = {account.id: account.settings for account in mine.accounts()}
        assert known == {one.id: {"limits": {"max_order_notional": "1000.10"}}, other.id: None}
        with pytest.raises(NotFound):
            open_register(next(_users)).change_account(one.id, lambda before: None)
        with pytest.raises(BadInput):
            mine.change_account(one.id, _refuse)
        assert {account.id: account.settings for account in mine.accounts()} == known

    def test_of_changes_of_an_account_at_once_none_is_lost(self, mine, user):
        account = an_account(user_id=user)
        mine.add_account(account)
        begin = Barrier(6)

        def change(n: int) -> None:
            def slowly(before):
                time.sleep(0.02)  # all others are waiting
                return {**(before or {}), str(n): n}

            begin.wait(30)
            mine.change_account(account.id, slowly)

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(change, range(6)))
        assert mine.accounts()[0].settings == {**(account.settings or {}), **{str(n): n for n in range(6)}}

    def test_no_more_bots_than_their_person_may_have_however_many_are_added_at_once(self, open_register, mine, user):
        account = an_account(user_id=user)
        mine.add_account(account)
        gone = a_bot(account.id, user_id=user)
        mine.add_bot(gone, most=1)
        mine.delete_bot(gone.id, 7)  # does not count any more
        other = an_account(user_id=next(_users))
        open_register(other.user_id).add_account(other)
        open_register(other.user_id).add_bot(a_bot(other.id, user_id=other.user_id))
        assert found_room(lambda n: mine.add_bot(a_bot(account.id, user_id=user), most=2), TooMany) == 2
        assert len(mine.bots()) == 2
        mine.add_bot(a_bot(account.id, user_id=user))

    def test_bots_are_listed_by_id_of_one_account_or_of_all(self, mine, user):
        one, two = an_account(user_id=user), an_account(user_id=user)
        mine.add_account(one)
        mine.add_account(two)
        added = [
            a_bot(one.id, id=fresh("b"), user_id=user, since_ms=5, until_ms=2**40, pyramiding=3),
            a_bot(two.id, id=fresh("a"), user_id=user, timeframe=Timeframe.MO1, budget=Decimal("0.10")),
            a_bot(one.id, id=fresh("a"), user_id=user, params={}),
        ]
        for bot in added:
            mine.add_bot(bot)
        assert mine.bots() == sorted(added, key=lambda bot: bot.id)
        assert mine.bots(one.id) == sorted((added[0], added[2]), key=lambda bot: bot.id)
        assert mine.bots("nobody's") == []

    @settings(max_examples=40, deadline=None)
    @given(params=st.dictionaries(TEXTS, JSON, max_size=4), budget=st.decimals(allow_nan=False, allow_infinity=False))
    def test_no_digit_of_a_bot_is_lost(self, open_register, params, budget):
        user = next(_users)
        register = open_register(user)
        account = an_account(user_id=user)
        register.add_account(account)
        bot = a_bot(account.id, user_id=user, params=params, budget=budget)
        register.add_bot(bot)
        assert repr(register.bots()) == repr([bot])

    def test_an_id_is_taken_once_by_whomever(self, open_register, mine, user):
        account = an_account(user_id=user)
        mine.add_account(account)
        bot = a_bot(account.id, user_id=user)
        mine.add_bot(bot)
        other = next(_users)
        theirs = open_register(other)
        for register, spec in ((mine, account), (theirs, replace(account, user_id=other))):
            with pytest.raises(BadInput, match=account.id):
                register.add_account(spec)
        own = an_account(user_id=other)
        theirs.add_account(own)
        for register, taken in ((mine, bot), (theirs, replace(bot, user_id=other, account=own.id))):
            with pytest.raises(BadInput, match=bot.id):
                register.add_bot(taken)
        assert mine.bots() == [bot]
        assert theirs.bots() == []

    def test_an_account_that_is_not_there_is_refused_with_near_names(self, mine, user):
        account = an_account(user_id=user)
        mine.add_account(account)
        wrong = account.id + "x"
        with pytest.raises(NotFound, match=rf"'{wrong}'.*{account.id}\b"):
            mine.add_bot(a_bot(wrong, user_id=user))
        with pytest.raises(NotFound, match=rf"'{wrong}'.*{account.id}\b"):
            mine.ask(Request(user_id=user, account=wrong, action="halt"))

    def test_a_bot_that_is_not_there_is_refused_with_near_names(self, mine, user):
        account = an_account(user_id=user)
        mine.add_account(account)
        bot = a_bot(account.id, user_id=user)
        mine.add_bot(bot)
        with pytest.raises(NotFound, match=rf"'{bot.id}x'.*{bot.id}\b"):
            mine.ask(Request(user_id=user, account=account.id, action="stop", bot=bot.id + "x"))

    def test_a_request_is_asked_seen_by_the_engine_and_answered(self, mine, engine, user):
        account = an_account(user_id=user)
        mine.add_account(account)
        bot = a_bot(account.id, user_id=user)
        mine.add_bot(bot)
        halt = Request(user_id=user, account=account.id, action="halt", asked_ms=7)
        sell = replace(halt, action="sell", bot=bot.id, params='{"all":true}', asked_ms=8)
        ids = [mine.ask(halt), mine.ask(replace(sell, id=1))]
        assert ids[0] < ids[1]
        expected = [replace(halt, id=ids[0]), replace(sell, id=ids[1])]
        assert mine.waiting() == expected
        assert [request for request in engine.waiting() if request.user_id == user] == expected
        engine.answer(ids[0], 99, "done")
        assert mine.waiting() == expected[1:]
        assert mine.request(ids[0]) == replace(expected[0], done_ms=99, answer="done")

    def test_an_account_that_is_forgotten_leaves_nothing_and_nobody_else_s_does(self, open_register, mine, user):
        gone, stays = an_account(user_id=user), an_account(user_id=user)
        for account in (gone, stays):
            mine.add_account(account)
            bot = a_bot(account.id, id=fresh("b"), user_id=user)
            mine.add_bot(bot)
            mine.ask(Request(user_id=user, account=account.id, action="stop", bot=bot.id))
            mine.raise_alert(Alert(ts=1, level=Level.INFO, key="k", params={}, user_id=user, account=account.id))
        with pytest.raises(NotFound):
            open_register(next(_users)).forget_account(gone.id)
        mine.forget_account(gone.id)
        assert mine.accounts() == [stays]
        assert {bot.account for bot in mine.bots()} == {stays.id}
        assert {request.account for request in mine.waiting()} == {stays.id}
        assert {alert.account for alert in mine.alerts()} == {stays.id}
        with pytest.raises(NotFound):
            mine.forget_account(gone.id)

    def test_a_bot_can_be_forgotten(self, open_register, mine, user):
        account = an_account(user_id=user)
        mine.add_account(account)
        bots = [a_bot(account.id, id=fresh("b"), user_id=user) for _ in range(2)]
        for bot in bots:
            mine.add_bot(bot)
            mine.ask(Request(user_id=user, account=account.id, action="stop", bot=bot.id))
        with pytest.raises(NotFound):
            open_register(next(_users)).forget_bot(bots[0].id)
        mine.forget_bot(bots[0].id)
        assert mine.bots() == [bots[1]]
        assert [request.bot for request in mine.waiting()] == [bots[1].id]
        with pytest.raises(NotFound):
            mine.forget_bot(bots[0].id)

    def test_a_bot_that_was_deleted_keeps_its_name(self, open_register, mine, user):
        account = an_account(user_id=user)
        mine.add_account(account)
        bots = [a_bot(account.id, id=fresh("b"), user_id=user) for _ in range(2)]
        for bot in bots:
            mine.add_bot(bot)
        number = mine.ask(Request(user_id=user, account=account.id, action="delete", bot=bots[0].id))
        with pytest.raises(NotFound):
            open_register(next(_users)).delete_bot(bots[0].id, 7)
        mine.delete_bot(bots[0].id, 7)
        assert mine.bots() == mine.bots(account.id) == [bots[1]]
        assert mine.request(number).bot == bots[0].id
        with pytest.raises(BadInput):
            mine.add_bot(bots[0])
        with pytest.raises(NotFound):
            mine.delete_bot(bots[0].id, 8)
        mine.forget_account(account.id)

    def test_a_refused_request_says_so(self, mine, engine, user):
        account = an_account(user_id=user)
        mine.add_account(account)
        done, refused = (mine.ask(Request(user_id=user, account=account.id, action="x")) for _ in range(2))
        engine.answer(done, 5, "done")
        engine.answer(refused, 6, "no", refused=True)
        assert [(mine.request(one).answer, mine.request(one).refused) for one in (done, refused)] == [
            ("done", False),
            ("no", True),
        ]

    def test_a_request_that_is_not_there_is_not_found(self, mine):
        with pytest.raises(NotFound, match="#123456"):
            mine.request(123456)
        with pytest.raises(NotFound, match="#123456"):
            mine.answer(123456, 1, "")

    def test_the_newest_alerts_come_first(self, mine, engine, user):
        told = [
            Alert(ts=ts, level=level, key="number.between", params={"low": 1, "high": 2}, user_id=user, bot="b")
            for ts, level in enumerate(Level)
        ]
        for alert in told:
            engine.raise_alert(alert)
        assert mine.alerts() == told[::-1]
        assert mine.alerts(limit=2) == told[:0:-1]
        assert str(mine.alerts()[0]) == "Give a number from 1 to 2."

    def test_a_user_neither_sees_nor_touches_what_is_anothers(self, open_register, mine, user):
        account = an_account(user_id=user)
        mine.add_account(account)
        mine.add_bot(a_bot(account.id, user_id=user))
        asked = mine.ask(Request(user_id=user, account=account.id, action="halt"))
        mine.raise_alert(Alert(ts=1, level=Level.INFO, key="number.needed", params={}, user_id=user))
        other = next(_users)
        theirs = open_register(other)
        assert (
            theirs.accounts() == theirs.bots() == theirs.bots(account.id) == theirs.waiting() == theirs.alerts() == []
        )
        with pytest.raises(NotFound):
            theirs.request(asked)
        with pytest.raises(NotFound):
            theirs.answer(asked, 1, "mine now")
        with pytest.raises(NotFound):
            theirs.add_bot(a_bot(account.id, user_id=other))
        with pytest.raises(NotFound):
            theirs.ask(Request(user_id=other, account=account.id, action="halt"))
        assert mine.request(asked).done_ms is None

    def test_a_user_writes_nothing_in_anothers_name(self, open_register, mine, user):
        account = an_account(user_id=user)
        mine.add_account(account)
        theirs = open_register(next(_users))
        alert = Alert(ts=1, level=Level.INFO, key="number.needed", params={}, user_id=user)
        request = Request(user_id=user, account=account.id, action="halt")
        for attempt in (
            lambda: theirs.add_account(an_account(user_id=user)),
            lambda: theirs.add_bot(a_bot(account.id, user_id=user)),
            lambda: theirs.ask(request),
            lambda: theirs.raise_alert(alert),
        ):
            with pytest.raises((BadInput, NotFound)):
                attempt()
        assert mine.accounts() == [account]
        assert mine.bots() == mine.waiting() == mine.alerts() == []

    def test_the_engine_sees_all_users(self, open_register, mine, engine, user):
        other = next(_users)
        added = [an_account(user_id=user), an_account(user_id=other)]
        mine.add_account(added[0])
        open_register(other).add_account(added[1])
        bots = [a_bot(account.id, user_id=account.user_id) for account in added]
        for bot in bots:
            engine.add_bot(bot)
        assert [account for account in engine.accounts() if account.user_id in (user, other)] == added
        assert engine.bots(added[1].id) == bots[1:]


def _refuse(before: object) -> dict[str, Any]:
    raise BadInput("limit", "x", "running.amount")
