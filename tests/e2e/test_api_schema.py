"""The whole API, asked all that its schema allows and much that it does not: it keeps its word every time.

For every operation requests are made from the schema (`schemathesis`), right ones and wrong ones, by somebody who
trades and by an admin, against the real application on a real database: no server error, no status, content type or
body that the schema does not know of. The seed is fixed.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.api.sites import Site, site

from cambist.domain.person import Role
from cambist.market.synthetic import synthetic_market
from cambist.simulators.binance.threaded import BinanceSimulator

_EXAMPLES = 3
_FINE = (503,)
"""No defect of ours: a venue that is away."""
_ASKED = (("ann", GenerationMode.POSITIVE), ("ann", GenerationMode.NEGATIVE), ("root", GenerationMode.POSITIVE))
"""By whom, and whether rightly or wrongly."""
_CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_LEFT_OUT = {
    "auth_logout",  # would end the session that asks
    "auth_login",  # a third of a second each, for the hashing
    "auth_register",
    "users_add",
    "users_give_password",
    "me_change_password",
    "me_choose_ai",  # would let the assistant ask a service elsewhere
    "sessions_end_others",
    "sessions_end",
}
"""Asked in tests of their own."""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    candles = synthetic_market(("BTC/USDT",), start_ms=1_704_067_200_000, count=300, timeframe="1m", seed=5).values()
    with (
        BinanceSimulator(*candles) as exchange,
        site(tmp_path_factory.mktemp("home"), CAMBIST_VENUE_URL=exchange.url) as opened,
    ):
        yield opened


@pytest.mark.slow
def test_every_answer_is_as_documented(here: Site) -> None:
    visitors = {"root": here.person("root"), "ann": here.person("ann", Role.TRADE)}
    for number in range(2):
        visitors["ann"].post("/strategies", {"name": f"s{number}", "code": "x = 1", "check": False})
    wrong: list[str] = []
    schema = schemathesis.openapi.from_dict(here.app.openapi())
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # a schema of ours that is wrong ends the test here
        if operation.definition.raw["operationId"] in _LEFT_OUT:
            continue
        for who, way in _ASKED:
            wrong += _asked(here, operation, visitors[who].token, way)
    assert not wrong, "\n\n".join(wrong)


def _asked(here: Site, operation: Any, token: str, way: GenerationMode) -> list[str]:
    """Ask one operation, and return what was wrong with its answers."""
    wrong: dict[str, str] = {}

    @hypothesis.seed(4)
    @hypothesis.settings(
        max_examples=_EXAMPLES,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(way))
    def ask(case: Any) -> None:
        asked = case.as_transport_kwargs(base_url="http://testserver", headers={"Authorization": f"Bearer {token}"})
        ready: Any = requests.Request(**asked).prepare()
        response = here.anybody.request(ready.method, ready.url, headers=dict(ready.headers), content=ready.body)
        failures = ["a server error"] if response.status_code >= 500 and response.status_code not in _FINE else []
        try:
            case.validate_response(response, checks=_CHECKS)
        except FailureGroup as group:
            failures += [f"{one.title}: {one.message}"[:600] for one in group.exceptions]
        if failures:
            said = f"{operation.label}: {response.status_code} {response.text[:300]}"
            wrong.setdefault(f"{operation.label} {response.status_code}", "\n".join((said, _shown(case), *failures)))

    with suppress(Unsatisfiable):  # there is nothing about it that could be wrong
        ask()
    return list(wrong.values())


def _shown(case: Any) -> str:
    return json.dumps({"path": case.path_parameters, "query": case.query, "body": case.body}, default=repr)[:500]
