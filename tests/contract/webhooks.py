"""What every `Webhooks` keeps to: an adapter's test inherits `WebhooksContract` and gives ``open_webhooks`` and
``open_register``."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from itertools import count
from threading import Barrier
from typing import Any

import pytest
from tests.contract.book import a_bot, an_account, fresh
from tests.contract.room import found_room

from cambist.domain.errors import BadInput, NotFound, StorageFailed, Taken, TooMany
from cambist.domain.webhook import Defaults
from cambist.ports.book import Register, Request
from cambist.ports.webhooks import Came, Once, Sender, Webhook, WebhookCall, Webhooks

OpenWebhooks = Callable[[int | None], Webhooks]
"""Opens the webhooks as the user of an id; None is who receives calls."""
OpenRegister = Callable[[int | None], Register]

_users = count(1)
NOW = 1_800_000_000_000


def a_webhook(user_id: int, account: str, **changes: Any) -> Webhook:
    plain: dict[str, Any] = {
        "id": fresh("hook"),
        "user_id": user_id,
        "name": fresh("tv"),
        "kind": Sender.TRADINGVIEW,
        "account": account,
        "bots": {"BTC/USDT": "tv-btc-usdt"},
        "defaults": Defaults(unit="notional", size=Decimal("100.10"), take_profit=Decimal("0.040")),
        "addresses": ("52.89.214.238", "10.0.0.0/8"),
        "window_s": 30,
        "secret_ms": NOW,
        "active": True,
        "preview": False,
        "created_ms": NOW,
    }
    return Webhook(**(plain | changes))


def a_call(webhook: Webhook, **changes: Any) -> WebhookCall:
    plain: dict[str, Any] = {
        "webhook": webhook.id,
        "user_id": webhook.user_id,
        "received_ms": NOW,
        "address": "127.0.0.1",
        "body": "Élan: BUY",
        "outcome": Came.ACCEPTED,
        "why": {},
        "wish": {"bot": "b", "symbol": "BTC/USDT", "wishes": [{"kind": "exit"}]},
        "took_us": 250,
    }
    return WebhookCall(**(plain | changes))


def a_request(webhook: Webhook, bot: str = "") -> Request:
    params = json.dumps({"wishes": [{"kind": "exit"}]})
    return Request(
        user_id=webhook.user_id, account=webhook.account, action="wish", bot=bot, params=params, asked_ms=NOW
    )


class WebhooksContract:
    @pytest.fixture
    def user(self) -> int:
        """Return a user who has an account, and nothing else yet."""
        return next(_users)

    @pytest.fixture
    def mine(self, open_webhooks: OpenWebhooks, user: int) -> Webhooks:
        return open_webhooks(user)

    @pytest.fixture
    def stranger(self) -> int:
        return next(_users)

    @pytest.fixture
    def theirs(self, open_webhooks: OpenWebhooks, stranger: int) -> Webhooks:
        return open_webhooks(stranger)

    @pytest.fixture
    def gate(self, open_webhooks: OpenWebhooks) -> Webhooks:
        return open_webhooks(None)

    @pytest.fixture
    def register(self, open_register: OpenRegister, user: int) -> Register:
        return open_register(user)

    @pytest.fixture
    def account(self, register: Register, user: int) -> str:
        spec = an_account(user_id=user)
        register.add_account(spec)
        return spec.id

    def test_no_more_than_a_person_may_have_however_many_are_added_at_once(
        self, mine, theirs, open_register, user, stranger, account
    ):
        spec = an_account(user_id=stranger)
        open_register(stranger).add_account(spec)
        theirs.add(a_webhook(stranger, spec.id))  # does not count
        mine.add(a_webhook(user, account), 1)
        assert found_room(lambda n: mine.add(a_webhook(user, account), 3), TooMany) == 2
        assert len(mine.webhooks()) == 3

    @pytest.fixture
    def webhook(self, mine: Webhooks, user: int, account: str) -> Webhook:
        made = a_webhook(user, account)
        mine.add(made)
        return made

    # -- webhooks

    def test_what_is_added_is_there_by_name(self, mine, gate, user, account):
        made = [
            a_webhook(user, account, name=fresh(name), kind=kind, addresses=())
            for name, kind in (("b", Sender.GENERIC), ("a", Sender.TRADINGVIEW))
        ]
        for one in made:
            mine.add(one)
        assert mine.webhooks() == made[::-1]
        assert [gate.find(one.id) for one in made] == made

    def test_a_name_is_taken_once_by_each_person(self, open_register, open_webhooks, mine, webhook, account):
        with pytest.raises(Taken):
            mine.add(a_webhook(webhook.user_id, account, name=webhook.name))
        other = next(_users)
        spec = an_account(user_id=other)
        open_register(other).add_account(spec)
        open_webhooks(other).add(a_webhook(other, spec.id, name=webhook.name))

    def test_what_may_change_changes_and_nothing_else(self, mine, webhook):
        changed = replace(
            webhook,
            bots={"ETH/USDT": "x"},
            defaults=Defaults(unit="fraction", size=Decimal("0.5"), stop_loss=Decimal("0.02")),
            addresses=(),
            window_s=5,
            secret_ms=NOW + 1,
            active=False,
            preview=True,
        )
        wrong = replace(changed, name="other", kind=Sender.GENERIC, created_ms=1)
        assert mine.change(webhook.id, lambda before: wrong) == changed
        assert mine.find(webhook.id) == changed

    def test_of_changes_at_once_none_is_lost(self, mine, webhook):
        begin = Barrier(4)

        def change(n: int) -> None:
            def slowly(before: Webhook) -> Webhook:
                time.sleep(0.02)  # all others are waiting
                if n == 0:
                    return replace(before, active=False)
                if n == 1:
                    return replace(before, secret_ms=NOW + 7)
                return replace(before, bots={**before.bots, f"{n}/USDT": "x"})

            begin.wait(30)
            mine.change(webhook.id, slowly)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(change, range(4)))
        found = mine.find(webhook.id)
        assert (found.active, found.secret_ms) == (False, NOW + 7)
        assert found.bots == {**webhook.bots, "2/USDT": "x", "3/USDT": "x"}

    def test_what_is_anothers_is_not_there(self, mine, theirs, stranger, webhook):
        call = mine.claim(a_call(webhook), Once(key="a"), None)
        assert theirs.webhooks() == []
        assert theirs.find(webhook.id) is None
        assert theirs.calls(None) == []
        assert theirs.calls(webhook.id) == []
        for forbidden in (
            lambda: theirs.change(webhook.id, lambda before: before),
            lambda: theirs.forget(webhook.id),
            lambda: theirs.call(call.id),
        ):
            with pytest.raises(NotFound):
                forbidden()
        for forged in (theirs.note, lambda call: theirs.claim(call, Once(key="b"), None)):
            with pytest.raises(BadInput):
                forged(a_call(webhook))
        with pytest.raises(NotFound):  # in their own name, on a webhook that is not theirs
            theirs.claim(a_call(replace(webhook, user_id=stranger)), Once(key="c"), None)
        assert mine.find(webhook.id) == webhook
        assert mine.calls(webhook.id) == [call]

    def test_what_is_forgotten_is_gone_with_its_calls(self, mine, webhook):
        call = mine.claim(a_call(webhook), Once(key="a"), None)
        mine.note(a_call(webhook, outcome=Came.REFUSED))
        mine.forget(webhook.id)
        assert mine.find(webhook.id) is None
        assert mine.calls(None) == []
        with pytest.raises(NotFound):
            mine.call(call.id)
        with pytest.raises(NotFound):
            mine.forget(webhook.id)
        with pytest.raises(NotFound):
            mine.claim(a_call(webhook), Once(key="a"), None)

    # -- calls

    def test_a_call_is_kept_with_its_request_or_not_at_all(self, mine, register, webhook, account):
        bot = a_bot(account, user_id=webhook.user_id)
        register.add_bot(bot)
        kept = mine.claim(a_call(webhook), Once(key="a"), a_request(webhook, bot.id))
        assert mine.call(kept.id) == kept
        (asked,) = register.waiting()
        assert asked == replace(a_request(webhook, bot.id), id=kept.request)
        assert mine.claim(a_call(webhook, body="again"), Once(key="a"), a_request(webhook, bot.id)) is None
        broken = replace(a_request(webhook, bot.id), account="nobody's")
        with pytest.raises(StorageFailed):
            mine.claim(a_call(webhook), Once(key="b"), broken)
        assert mine.calls(webhook.id) == [kept]
        assert register.waiting() == [asked]

    def test_a_key_is_of_one_webhook(self, mine, user, account, webhook):
        other = a_webhook(user, account)
        mine.add(other)
        assert mine.claim(a_call(webhook), Once(key="a"), None)
        assert mine.claim(a_call(other), Once(key="a"), None)

    @pytest.mark.parametrize("begin", [0, 1, 29_999, 30_000])
    def test_for_a_while_means_just_so_long(self, mine, webhook, begin):
        once = Once(key="same", for_ms=30_000)

        def at(ms: int) -> bool:
            return mine.claim(a_call(webhook, received_ms=NOW + begin + ms), once, None) is not None

        assert at(0)
        assert not at(1)
        assert not at(29_999)
        assert at(30_000)
        assert not at(30_001)
        assert mine.claim(a_call(webhook, received_ms=NOW + begin), Once(key="other", for_ms=30_000), None)

    @pytest.mark.parametrize("for_ms", [None, 10_000])
    def test_of_twenty_at_once_one_is_acted_on(self, open_webhooks, mine, register, webhook, for_ms):
        together = Barrier(20)

        def one(number: int) -> WebhookCall | None:
            store = open_webhooks(None)
            call = a_call(webhook, received_ms=NOW + 9_990 + number)  # on both sides of a stretch of time
            together.wait()
            kept: WebhookCall | None = store.claim(call, Once(key="same", for_ms=for_ms), a_request(webhook))
            return kept

        with ThreadPoolExecutor(20) as threads:
            kept = [call for call in threads.map(one, range(20)) if call is not None]
        assert len(kept) == 1
        assert [asked.id for asked in register.waiting()] == [kept[0].request]
        assert mine.calls(webhook.id) == kept

    def test_calls_that_nothing_came_of_are_kept_each(self, mine, webhook):
        why = {"key": "webhook.action", "params": {}, "field": "action", "value": "hödl"}
        numbers = [mine.note(a_call(webhook, outcome=Came.REFUSED, why=why, wish={})) for _ in range(3)]
        found = mine.calls(webhook.id)
        assert [one.id for one in found] == numbers[::-1]
        assert {one.outcome for one in found} == {Came.REFUSED}
        assert found[0].why == why

    def test_calls_come_newest_first_a_page_at_a_time(self, mine, user, account, webhook):
        other = a_webhook(user, account)
        mine.add(other)
        kept = [mine.claim(a_call(webhook), Once(key=str(one)), None) for one in range(5)]
        mine.note(a_call(other, outcome=Came.STALE))
        assert mine.calls(webhook.id, limit=2) == [kept[4], kept[3]]
        assert mine.calls(webhook.id, before=kept[3].id) == [kept[2], kept[1], kept[0]]
        assert len(mine.calls(None)) == 6
        assert mine.calls(None, outcome=Came.ACCEPTED) == kept[::-1]
        assert [one.webhook for one in mine.calls(None, outcome=Came.STALE)] == [other.id]
