"""The assistant over the API: events as they come, the key nowhere but in the request to its service."""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from aiohttp import web
from tests.api.sites import Site, Visitor, site
from tests.unit.assistant.model_server import ModelServer, serving_apart

from cambist.adapters.assistant.openai import OpenAiAssistant
from cambist.apps.api.routes import assistant as routes
from cambist.domain.person import Role
from cambist.usecases.oneself import AI_KEY

KEY = "sk-canary-9876543210"
GOOD = "class Good(Strategy):\n    pass\n"
BAD = "import os\n"
WISH = {"request": "Achète bas, vends haut."}


def judged(code: str, _timeframe: str) -> dict[str, Any]:
    """Refuse what imports os; stands in for the jail, which has tests of its own."""
    finding = {"severity": "error", "line": 1, "column": 7, "key": "number.between", "params": {"low": 1, "high": 2}}
    return {"passed": code != BAD, "findings": [finding] if code == BAD else []}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, CAMBIST_AI_LOCAL="true") as opened:
        opened.services.validate = judged
        yield opened


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with serving_apart(ModelServer()) as served:
        yield served


@pytest.fixture
def ann(here: Site, model: ModelServer) -> Visitor:
    return helped(here, here.person("ann"), model.url)


def helped(here: Site, visitor: Visitor, url: str | None, provider: str = "ollama") -> Visitor:
    """Give ``visitor`` an assistant, and a key."""
    office = here.services.office
    office.people.change(visitor.id, profile={"ai": {"provider": provider, "url": url, "model": "alpha"}})
    office.vault.seal(visitor.id, *AI_KEY, KEY)
    return visitor


def told(response: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return the events of a stream, pieces of text joined."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    events: list[tuple[str, dict[str, Any]]] = []
    for block in response.text.split("\n\n"):
        if block.startswith("event: "):
            name, data = block.split("\n", 1)
            events.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    words = "".join(data["text"] for name, data in events if name == "token")
    return [("words", {"text": words}), *(one for one in events if one[0] != "token")]


def fenced(code: str) -> str:
    return f"Voilà ✓\n```python\n{code}```\n"


def test_plain_words_become_a_strategy(ann, model):
    model.script = [fenced(GOOD)]
    assert told(ann.post("/assistant/write", WISH)) == [
        ("words", {"text": fenced(GOOD)}),
        ("report", {"attempt": 1, "passed": True, "findings": []}),
        ("code", {"attempt": 1, "code": GOOD, "usable": True}),
        ("done", {"attempts": 1, "usable": True}),
    ]
    assert model.asked[0]["messages"][1]["content"] == WISH["request"]
    assert model.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_what_is_chosen_in_the_profile_is_what_is_asked(here, model):
    bob = here.person("bob")
    chosen = {"provider": "ollama", "url": model.url, "model": "mistral", "key": KEY}
    assert bob.put("/me/ai", chosen).status_code == 200
    model.script = [fenced(GOOD)]
    assert told(bob.post("/assistant/write", WISH))[-1] == ("done", {"attempts": 1, "usable": True})
    assert (model.asked[0]["model"], model.headers[0]["Authorization"]) == ("mistral", f"Bearer {KEY}")
    assert bob.put("/me/ai", {"provider": "off"}).status_code == 200
    assert bob.post("/assistant/write", WISH).json()["key"] == "assistant.off"


def test_what_does_not_pass_is_repaired_once_in_the_readers_language(ann, model):
    model.script = [fenced(BAD), fenced(GOOD)]
    events = told(ann.post("/assistant/write", WISH, headers={"Accept-Language": "fr"}))
    assert [name for name, _ in events] == ["words", "report", "code", "report", "code", "done"]
    assert events[1][1]["findings"][0]["text"] == "Donnez un nombre de 1 à 2."
    assert (events[2][1]["usable"], events[4][1]["usable"]) == (False, True)
    assert "French" in model.asked[0]["messages"][0]["content"]
    assert "ligne" in model.asked[1]["messages"][3]["content"] or "Donnez" in model.asked[1]["messages"][3]["content"]


def test_code_is_improved_and_explained(ann, model):
    model.script = [fenced(GOOD), "It does nothing."]
    improved = told(ann.post("/assistant/improve", {"code": BAD, "request": "safer"}))
    assert improved[-1] == ("done", {"attempts": 1, "usable": True})
    explained = told(ann.post("/assistant/explain", {"code": GOOD}))
    assert explained == [("words", {"text": "It does nothing."}), ("done", {"attempts": 1, "usable": False})]
    assert BAD in model.asked[0]["messages"][1]["content"]
    assert GOOD in model.asked[1]["messages"][1]["content"]


def test_models_are_listed_before_one_is_chosen(here, ann):
    here.services.office.people.change(
        ann.id, profile={"ai": {"provider": "ollama", "url": model_url(here, ann), "model": None}}
    )
    assert ann.get("/assistant/models").json() == {"models": ["alpha", "zeta"]}
    refused = ann.post("/assistant/write", WISH)
    assert (refused.status_code, refused.json()["key"]) == (409, "assistant.no_model")


def model_url(here: Site, visitor: Visitor) -> str:
    url: str = here.services.office.people.person(visitor.id).profile["ai"]["url"]
    return url


def test_off_is_a_problem_that_says_where_to_switch_it_on(here):
    bob = here.person("bob")
    for refused in (bob.post("/assistant/write", WISH), bob.get("/assistant/models")):
        assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
        assert "/me/ai" in refused.json()["detail"]


def test_only_who_may_trade_is_helped(here, ann, model):
    model.script = [fenced(GOOD)]
    vera = helped(here, here.person("vera", Role.VIEW), model.url)
    assert vera.post("/assistant/write", WISH).status_code == 403
    assert here.anybody.post("/api/v1/assistant/write", json=WISH).status_code == 401
    assert model.asked == []


@pytest.mark.parametrize(
    ("provider", "url"),
    [("openai", "https://127.0.0.1:1"), ("openai", "https://localhost:1"), ("openrouter", "https://[::1]:1")],
)
def test_other_providers_do_not_reach_inside(here, ann, provider, url):
    helped(here, ann, url, provider)
    refused = ann.get("/assistant/models")
    assert (refused.status_code, refused.json()["key"]) == (422, "assistant.inside")


def test_without_leave_of_the_server_ollama_is_nowhere_else(tmp_path, model):
    with site(tmp_path) as strict:
        ann = helped(strict, strict.person("ann"), model.url)
        refused = ann.post("/assistant/write", WISH)
        assert (refused.status_code, refused.json()["key"]) == (422, "assistant.https")
        helped(strict, ann, model.url.replace("http:", "https:"))
        events = told(ann.post("/assistant/write", WISH))
        assert (events[-1][0], events[-1][1]["key"]) == ("error", "assistant.inside")
    assert model.asked == []


@pytest.mark.parametrize(("status", "kind"), [(401, 409), (429, 503), (500, 503)])
def test_the_services_trouble_is_the_last_event_or_a_problem(ann, model, status, kind, caplog):
    body = {"error": {"message": f"your key {KEY} is bad"}}
    model.script = [web.json_response(body, status=status)]
    with caplog.at_level(logging.DEBUG):
        response = ann.post("/assistant/write", WISH)
    events = told(response)
    assert (events[-1][0], events[-1][1]["status"]) == ("error", kind)
    model.models = web.json_response(body, status=status)
    listed = ann.get("/assistant/models")
    assert listed.status_code == kind
    for seen in (response.text, listed.text, caplog.text):
        assert KEY not in seen


def test_what_breaks_inside_is_told_without_its_words(here, ann, model):
    def broken(_code: str, _timeframe: str) -> dict[str, Any]:
        raise RuntimeError(f"oops {KEY}")

    here.services.validate = broken
    model.script = [fenced(GOOD)]
    response = ann.post("/assistant/write", WISH)
    name, problem = told(response)[-1]
    assert (name, problem["status"]) == ("error", 500)
    assert KEY not in response.text


def test_a_key_of_idempotency_does_not_ask_twice(ann, model):
    model.script = [fenced(GOOD), fenced(GOOD)]
    headers = {"Idempotency-Key": "once"}
    assert told(ann.post("/assistant/write", WISH, headers=headers))[-1][0] == "done"
    assert ann.post("/assistant/write", WISH, headers=headers).status_code == 409
    assert len(model.asked) == 1


def test_too_much_is_refused_before_anything_is_asked(ann, model):
    for body in ({"request": ""}, {"request": "x" * 8_001}, {}, {"request": "x", "more": 1}):
        assert ann.post("/assistant/write", body).status_code == 422
    refused = ann.post("/assistant/improve", {"code": "é" * 60_000, "request": "x"})
    assert (refused.status_code, refused.json()["key"]) == (422, "shelf.too_long")
    assert model.asked == []


def test_a_silent_model_keeps_the_line_open_and_ends(here, ann, model, monkeypatch):
    monkeypatch.setattr(routes, "_STILL_HERE_S", 0.01)
    here.services.assistant = OpenAiAssistant(silence_s=0.5)
    model.script = [model.hang]
    response = ann.post("/assistant/write", WISH)
    assert ": still here\n\n" in response.text
    assert told(response)[-1][1]["key"] == "assistant.too_slow"
    assert model.hung_up.wait(20)


# -- over a real socket, where people go away -------------------------------------------------------------------------


@contextmanager
def listening(here: Site) -> Iterator[str]:
    """Serve the API on loopback and give its address."""
    server = uvicorn.Server(uvicorn.Config(here.app, port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run)
    up = threading.Event()
    startup = server.startup

    async def started(*given: Any, **more: Any) -> None:
        await startup(*given, **more)
        up.set()

    server.startup = started  # type: ignore[method-assign]
    thread.start()
    try:
        assert up.wait(20)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/api/v1"
    finally:
        server.should_exit = True
        thread.join(20)


def test_who_goes_away_hangs_up_on_the_service_and_gives_the_place_back(here, ann, model):
    headers = {"Authorization": f"Bearer {ann.token}"}
    with listening(here) as url, httpx2.Client(base_url=url, headers=headers, timeout=20) as client:
        model.script = [model.hang] * 3
        with client.stream("POST", "/assistant/write", json=WISH) as one:
            pieces = one.iter_text()  # kept: httpx2 hangs up when it is dropped
            assert '"wait "' in next(pieces)
            with client.stream("POST", "/assistant/write", json=WISH) as two:
                more = two.iter_text()
                assert '"wait "' in next(more)
                third = client.post("/assistant/write", json=WISH)
                assert (third.status_code, third.json()["key"]) == (429, "assistant.too_many_at_once")
            assert model.hung_up.wait(20)
            model.hung_up.clear()
        assert model.hung_up.wait(20)
        # the service learns it a moment before the place is free
        model.script = [fenced(GOOD)]
        for _ in range(200):
            again = client.post("/assistant/write", json=WISH)
            if again.status_code == 200:
                break
        assert "event: done" in again.text
