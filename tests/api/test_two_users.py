"""Every route there is, walked by two people: neither sees, changes or guesses what is the other's.

A route that is new is walked too: one whose path names a thing that is not known here fails the test until it is.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.api.sites import Site, Visitor, site
from tests.contract.test_sql_searches import a_search

from cambist.apps.api.area import PREFIX
from cambist.domain.alert import Alert, Level
from cambist.domain.person import Role
from cambist.ports.results import StoredResult

CANARY = "magpie"
"""Stands in everything that is Ann's, and in nothing else."""
CODE = f'''class Quiet(Strategy):
    """{CANARY}"""

    def __init__(self, candles, balance, position=None):
        self.candles = candles

    def should_long(self) -> bool:
        return False

    def calculate_position_size(self) -> float:
        return 0.0
'''
PUBLIC = {"exchange": "binance", "group": "bot", "switch": "halt", "act": "stop", "version": "1"}
"""What a path may name that is nobody's."""
OPEN = {
    "POST /auth/login",
    "POST /auth/refresh",
    "POST /auth/register",
    "GET /auth/options",
    "GET /health",
    "GET /ready",
}
SLOW = {
    "PUT /me/ai",
    "GET /assistant/models",
    "GET /markets/book",
    "GET /markets/candles",
    "GET /markets/tickers",
    "POST /brokers/test",
}
"""They ask an exchange or a model, of which there is none here."""


_HERS = (
    "/brokers",
    "/bots",
    "/strategies",
    "/tokens",
    "/webhooks",
    "/jobs",
    "/backtests",
    "/searches",
    "/sessions",
    "/alerts",
    "/me",
    "/accounts",
    "/positions",
    "/trading/orders",
    "/orders",
    "/portfolio",
)


class Ann:
    """Somebody with one of everything."""

    def __init__(self, here: Site) -> None:
        self.visitor = here.person("ann")
        self.ids: dict[str, str] = {}
        self._make(here)

    def _made(self, name: str, response: Any, *path: str) -> None:
        assert response.status_code in (200, 201, 202), (name, response.text)
        found = response.json()
        for step in path:
            found = found[step]
        self.ids[name] = str(found)

    def _make(self, here: Site) -> None:
        ann, me = self.visitor, str(self.visitor.id)
        paper = {"name": CANARY, "exchange": "simulated", "mode": "paper"}
        self._made("account", ann.post("/brokers", paper), "broker", "id")
        self.ids["broker"] = account = self.ids["account"]
        bot = {"name": f"{CANARY}-b", "account": account, "strategy": "ema_cross", "symbol": "BTC/USDT"}
        self._made("bot", ann.post("/bots", bot | {"timeframe": "1m", "budget": "100"}), "bot", "id")
        self._made("strategy_id", ann.post("/strategies", {"name": CANARY, "code": CODE}), "id")
        self._made("number", ann.post(f"/bots/{self.ids['bot']}/suspend?wait_s=0"), "id")
        self._made("token", ann.post("/tokens", {"name": CANARY, "scopes": ["read"]}), "id")
        hook = {"name": CANARY, "account": account, "markets": [{"symbol": "BTC/USDT", "budget": "50"}]}
        self._made("webhook", ann.post("/webhooks", hook | {"kind": "generic"}), "id")
        job = {"strategy": "ema_cross", "symbols": ["BTC/USDT"], "venue": "binance", "timeframe": "1h"}
        moments = {"since": 1_704_067_200_000, "until": 1_706_745_600_000}
        self._made("job_id", ann.post("/backtests", job | moments), "id")
        stores = here.services.stores(ann.id)
        self.ids["backtest_id"] = str(stores.results.keep(_result()))
        self.ids["search_id"] = str(stores.searches.keep(a_search(strategy=CANARY, study=CANARY)))
        told = Alert(ts=1, level=Level.INFO, key="refused.halted", params={}, user_id=ann.id, account=account)
        stores.register.raise_alert(told)
        admin = here.person("first", Role.ADMIN)
        assert admin.put("/registration", {"mode": "invitation"}).status_code == 200
        self._made("invitation", admin.post("/invitations", {"role": "trade"}), "id")
        (session,) = ann.get("/sessions").json()
        self.ids |= {"session": session["id"], "user_id": me, "client_id": "cmagpiemagpiemagpi", "call": "1"}
        here.services.office.people.change(ann.id, profile={"default_account": account})

    def sees(self) -> dict[str, Any]:
        """Return all that is hers, as she sees it, but for what time alone changes."""
        seen = {}
        for path in _HERS:
            text = json.dumps(self.visitor.get(path).json())
            seen[path] = re.sub(r'"(\w+_ms|ts|limits_left)": \d+', "", text)
        return seen


def _result() -> StoredResult:
    return StoredResult(
        strategy=CANARY,
        params={},
        settings={"cash": 1000.0},
        engine="compiled",
        venue="binance",
        symbols=("BTC/USDT",),
        timeframe="1h",
        first_ts=0,
        last_ts=3_600_000,
        candles=2,
        data_hash="d",
        code_hash="c",
        metrics={"total_return": 0.1},
        proof={},
        notes=(CANARY,),
        equity=((0, 1000.0), (3_600_000, 1100.0)),
    )


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory):
    with site(tmp_path_factory.mktemp("two"), CAMBIST_VENUE_URL="http://127.0.0.1:9") as here:
        here.person("first", Role.ADMIN)  # user 1, whose ids bear no number
        ann = Ann(here)
        yield here, ann, here.person("bob")


def operations(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path.removeprefix(PREFIX), operation


def body_of(operation: Mapping[str, Any], schema: Mapping[str, Any], ann: Ann) -> Any:
    """Return the example of what an operation takes, made to speak of what is Ann's."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    kind = content.get("schema", {})
    for one in (kind, *kind.get("anyOf", [])):
        name = one.get("$ref", "").rpartition("/")[2]
        examples = schema["components"]["schemas"].get(name, {}).get("examples") or content.get("examples")
        if examples:
            example = examples[0] if isinstance(examples, list) else next(iter(examples.values()))["value"]
            return _hers(example, ann)
    return None


def _hers(example: Any, ann: Ann) -> Any:
    if not isinstance(example, dict):
        return example
    hers = {"account": "account", "broker": "account", "default_account": "account"}
    changed = {name: ann.ids[hers[name]] if name in hers else value for name, value in example.items()}
    if str(changed.get("strategy", "")).startswith("stored:") or "strategy" in changed:
        changed["strategy"] = f"stored:{ann.ids['strategy_id']}@1"
    if "backtests" in changed or "ids" in changed:
        changed["backtests" if "backtests" in changed else "ids"] = [int(ann.ids["backtest_id"])] * 2
    return changed


def _filled(path: str, ids: Mapping[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda found: ids.get(found[1]) or PUBLIC[found[1]], path)


def named(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


def test_nobody_reads_or_changes_what_is_another_s(two: tuple[Site, Ann, Visitor]):
    here, ann, bob = two
    schema = here.app.openapi()
    before = ann.sees()
    assert CANARY in "".join(before.values())
    walked = 0
    for method, path, operation in operations(schema):
        if f"{method} {path}" in OPEN | SLOW or "/auth/" in path or path.startswith("/hooks/"):
            continue
        unknown = [name for name in named(path) if name not in ann.ids and name not in PUBLIC]
        assert not unknown, f"say here what {unknown} of {path} is of Ann's"
        filled = _filled(path, ann.ids)
        asked = {name for name in ann.ids if name in {one["name"] for one in operation.get("parameters", [])}}
        query = {name: ann.ids[name] for name in asked if name not in named(path)} | {
            "wait_s": "0",
            "older": "1",
            "newer": "1",
        }
        body = body_of(operation, schema, ann)
        response = bob.ask(method, filled, params=query, json=body)
        assert CANARY not in _without(response.text, filled, query, body), (method, path, response.text)
        assert response.status_code < 500, (method, path, response.text)
        if set(named(path)) & set(ann.ids):
            assert response.status_code in (403, 404, 405, 409, 422), (method, path, response.text)
            walked += 1
    assert walked > 40
    assert ann.sees() == before


def _without(text: str, *given: object) -> str:
    """Return ``text`` without what the request itself said: an error may name what was asked for."""
    said = json.dumps(given)
    for word in set(re.findall(rf"[\w.-]*{CANARY}[\w.-]*", said)):
        text = text.replace(word, "")
    return text


def test_what_is_another_s_looks_as_if_it_did_not_exist(two: tuple[Site, Ann, Visitor]):
    here, ann, bob = two
    nothing = {
        "account": "nobody.99",
        "broker": "nobody.99",
        "bot": "nobody-b.99",
        "strategy_id": "999999",
        "number": "999999",
        "token": "0" * 32,
        "session": "0" * 32,
        "webhook": "0" * len(ann.ids["webhook"]),
        "job_id": "0" * len(ann.ids["job_id"]),
        "backtest_id": "999999",
        "search_id": "999999",
        "client_id": "cnobodynobodynobod",
        "call": "999999",
        "user_id": "999999",
        "invitation": "0" * 32,
    }
    schema = here.app.openapi()
    for method, path, operation in operations(schema):
        names = set(named(path)) & set(ann.ids)
        if not names or path.startswith("/hooks/"):
            continue
        answers = []
        for ids in (ann.ids, nothing):
            filled = _filled(path, ids)
            body = body_of(operation, schema, ann)
            response = bob.ask(method, filled, params={"wait_s": "0", "older": "1", "newer": "1"}, json=body)
            text = re.sub(r'"request_id":"\w+"', "", response.text)
            for name in names:
                text = text.replace(ids[name], "X")
            text = re.sub(r"\d+|\bX\b", "N", text)
            answers.append((response.status_code, text))
        assert answers[0] == answers[1], (method, path)


def test_names_are_one_s_own(two: tuple[Site, Ann, Visitor]):
    _, ann, bob = two
    for path, body in (
        ("/brokers", {"name": CANARY, "exchange": "simulated", "mode": "paper"}),
        ("/strategies", {"name": CANARY, "code": CODE}),
    ):
        made = bob.post(path, body)
        assert made.status_code == 201, made.text  # no clash tells him that she has one of that name
    assert {row["id"] for row in bob.get("/brokers").json()["items"]}.isdisjoint({ann.ids["account"]})


def test_an_admin_manages_people_and_does_not_look_into_their_accounts(two: tuple[Site, Ann, Visitor]):
    here, ann, _ = two
    admin = here.person("first", Role.ADMIN)
    for path in ("/brokers", "/bots", "/strategies", "/jobs", "/backtests", "/webhooks", "/orders", "/accounts"):
        assert CANARY not in admin.get(path).text, path
    assert admin.get(f"/bots/{ann.ids['bot']}").status_code == 404
    assert admin.get(f"/users/{ann.ids['user_id']}").status_code == 200
