"""The conversation: what is told, in which order, and what becomes of code that does not pass."""

import asyncio
import threading
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.assistant.model_server import ModelServer, serving

from cambist.adapters.assistant.openai import OpenAiAssistant
from cambist.domain.errors import AssistantRefused, BadInput, TooMany
from cambist.domain.text import speak
from cambist.indicators import names
from cambist.ports.assistant import Access
from cambist.usecases.assistant import OLLAMA_URL, Task, access_of, code_in, converse
from cambist.usecases.assistant_brief import brief
from cambist.usecases.quota import Quota

GOOD = "class Good(Strategy):\n    pass\n"
BAD = "class Bad(Strategy):\n    import os\n"


def judged(code: str, _timeframe: str) -> dict[str, Any]:
    """Refuse what is called Bad."""
    assert threading.current_thread() is not threading.main_thread(), "it blocks the event loop"
    if "Bad" not in code:
        return {"passed": True, "findings": []}
    finding = {"severity": "error", "line": 2, "column": 4, "key": "number.between", "params": {"low": 1, "high": 2}}
    return {"passed": False, "findings": [finding]}


def conversation(server: ModelServer, task: Task = Task.WRITE, **given_: str) -> list[tuple[str, dict[str, Any]]]:
    async def run() -> list[tuple[str, dict[str, Any]]]:
        async with serving(server):
            access = Access(url=server.url, model="alpha", inside=True)
            told = converse(OpenAiAssistant(), access, task, judged, **given_)
            return [(one.event, dict(one.data)) async for one in told]

    return asyncio.run(run())


def fenced(code: str) -> str:
    return f"Voilà.\n```python\n{code}```\nBonne chance."


def test_code_that_passes_is_usable_at_once():
    server = ModelServer(script=[fenced(GOOD)])
    told = conversation(server, request="buy low")
    tokens = [data["text"] for event, data in told if event == "token"]
    assert "".join(tokens) == fenced(GOOD)
    assert told[len(tokens) :] == [
        ("report", {"attempt": 1, "passed": True, "findings": []}),
        ("code", {"attempt": 1, "code": GOOD, "usable": True}),
        ("done", {"attempts": 1, "usable": True}),
    ]
    system, user = server.asked[0]["messages"]
    assert (user["role"], user["content"]) == ("user", "buy low")
    assert system["content"] == brief(explaining=False)


def test_bad_code_is_repaired_once_with_what_was_found():
    server = ModelServer(script=[fenced(BAD), fenced(GOOD)])
    told = [one for one in conversation(server, request="x") if one[0] != "token"]
    assert [(event, data.get("attempt"), data.get("usable")) for event, data in told] == [
        ("report", 1, None),
        ("code", 1, False),
        ("report", 2, None),
        ("code", 2, True),
        ("done", None, True),
    ]
    assert told[0][1]["findings"] == [
        {"severity": "error", "line": 2, "column": 4, "text": "Give a number from 1 to 2."}
    ]
    answer, complaint = server.asked[1]["messages"][2:]
    assert answer == {"role": "assistant", "content": fenced(BAD)}
    assert "line 2: Give a number from 1 to 2." in complaint["content"]


def test_twice_bad_is_told_as_such_and_asked_no_third_time():
    server = ModelServer(script=[fenced(BAD), fenced(BAD), fenced(GOOD)])
    told = conversation(server, request="x")
    assert told[-1] == ("done", {"attempts": 2, "usable": False})
    assert not any(data.get("usable") for _, data in told)
    assert len(server.asked) == 2


def test_an_answer_without_code_is_asked_for_code():
    server = ModelServer(script=["I would rather talk.", fenced(GOOD)])
    told = [one for one in conversation(server, request="x") if one[0] != "token"]
    assert [event for event, _ in told] == ["report", "code", "done"]
    assert "no Python block" in server.asked[1]["messages"][3]["content"]


def test_improving_sends_the_code_and_explaining_judges_nothing():
    server = ModelServer(script=[fenced(GOOD), "It buys.\n```python\nclass Bad(Strategy): ...\n```"])
    assert conversation(server, Task.IMPROVE, request="shorter", code=BAD)[-1][1]["usable"]
    told = conversation(server, Task.EXPLAIN, code=BAD)
    assert {event for event, _ in told} == {"token", "done"}
    for asked, words in zip(server.asked, ("shorter", "Explain"), strict=True):
        assert BAD in asked["messages"][1]["content"]
        assert words in asked["messages"][1]["content"]
    assert server.asked[1]["messages"][0]["content"] == brief(explaining=True)


def test_who_goes_away_stops_the_service():
    server = ModelServer()
    server.script = [server.hang]

    async def run() -> None:
        async with serving(server):
            access = Access(url=server.url, model="alpha", inside=True)
            async with aclosing(converse(OpenAiAssistant(), access, Task.WRITE, judged, request="x")) as told:
                assert (await anext(told)).data["text"] == "wait "
            assert await asyncio.to_thread(server.hung_up.wait, 10)

    asyncio.run(run())


# -- the brief, and code out of answers -------------------------------------------------------------------------------


def test_the_brief_names_every_indicator_and_speaks_the_readers_language():
    text = brief(explaining=False)
    for name in names():
        assert f"\n{name}(" in text
    assert "English" in text
    speak("fr")
    try:
        assert "French" in brief(explaining=False)
        assert "French" in brief(explaining=True)
    finally:
        speak("en")


@given(before=st.text("ab \n"), code=st.text("xyz =\n", min_size=1), after=st.text("cd \n"))
def test_a_block_is_found_among_words(before, code, after):
    found = code_in(f"{before}\n```python\n{code}\n```\n{after}")
    assert found == (f"{code.strip()}\n" if code.strip() else None)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("```\na = 1\n```", "a = 1\n"),
        ("```bash\nrm -rf\n```", None),
        ("```python\na = 1\n```\n```python\nclass Longer: ...\n```", "class Longer: ...\n"),
        ("```python\r\na = 1\r\n```", "a = 1\n"),
        (GOOD, GOOD),
        ("just words", None),
        ("```python\nnever closed", None),
        ("", None),
        ("```python\n" + "#" * 100_001 + "\n```", None),
    ],
)
def test_code_in_answers(answer, code):
    assert code_in(answer) == code


# -- who may ask whom -------------------------------------------------------------------------------------------------


def test_off_says_where_to_switch_it_on():
    for profile in (None, {}, {"provider": "off", "url": None, "model": "m"}):
        with pytest.raises(AssistantRefused, match="/me/ai"):
            access_of(profile, "", local_allowed=True)


def test_providers_have_their_own_addresses():
    router = access_of({"provider": "openrouter", "url": None, "model": "m"}, "k", local_allowed=False)
    assert (router.url, router.model, router.key, router.inside) == ("https://openrouter.ai/api/v1", "m", "k", False)
    ollama = access_of({"provider": "ollama", "url": None, "model": "m"}, "", local_allowed=False)
    assert (ollama.url, ollama.inside) == (f"{OLLAMA_URL}/v1", True)
    other = access_of({"provider": "openai", "url": "https://ai.example/v1/", "model": "m"}, "k", local_allowed=True)
    assert (other.url, other.inside) == ("https://ai.example/v1", False)


def test_only_ollama_may_be_inside_and_only_where_it_is_allowed():
    at = {"provider": "ollama", "url": "http://10.0.0.5:11434", "model": "m"}
    assert access_of(at, "", local_allowed=True) == Access(url="http://10.0.0.5:11434/v1", model="m", inside=True)
    with pytest.raises(BadInput, match="CAMBIST_AI_LOCAL"):
        access_of(at, "", local_allowed=False)
    assert not access_of({**at, "url": "https://ollama.example"}, "", local_allowed=False).inside
    for local in (True, False):
        with pytest.raises(BadInput, match="https"):
            access_of({**at, "provider": "openai"}, "k", local_allowed=local)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/v1",
        "file:///etc/passwd",
        "https://",
        "https://user:hunter2@host/v1",
        "https://host/v1?key=1",
        "https://host/v1#x",
        "https://host:99999/v1",
        "https://ho st/v1",
        "https://hôte/v1",
        "https://host/\r\nX: y",
        "host/v1",
        "https://" + "a" * 300,
    ],
)
def test_what_is_no_address_is_refused_and_no_password_told_back(url):
    with pytest.raises(BadInput) as caught:
        access_of({"provider": "openai", "url": url, "model": "m"}, "k", local_allowed=True)
    assert "hunter2" not in str(caught.value)


def test_what_is_not_chosen_yet_is_asked_for():
    with pytest.raises(AssistantRefused, match="model"):
        access_of({"provider": "openrouter", "url": None, "model": None}, "k", local_allowed=False)
    with pytest.raises(AssistantRefused, match="key"):
        access_of({"provider": "openrouter", "url": None, "model": "m"}, "", local_allowed=False)
    with pytest.raises(BadInput, match="address"):
        access_of({"provider": "openai", "url": None, "model": "m"}, "", local_allowed=False)
    with pytest.raises(BadInput, match="provider"):
        access_of({"provider": "hal", "url": None, "model": "m"}, "", local_allowed=False)
    unchosen = {"provider": "ollama", "url": None, "model": None}
    assert access_of(unchosen, "", local_allowed=False, choosing=True).model == ""


def test_a_key_is_one_word_and_loses_what_was_pasted_around_it():
    at = {"provider": "openrouter", "url": None, "model": "m"}
    assert access_of(at, " sk-1\n", local_allowed=False).key == "sk-1"
    for key in ("sk\r\nX-Other: 1", "clé", "a\x00b"):
        with pytest.raises(AssistantRefused, match="refuses your key"):
            access_of(at, key, local_allowed=False)


def test_one_person_asks_so_often_and_no_oftener():
    quota = Quota("assistant", at_once=2, per_hour=3)
    with quota.taken(1, 0), quota.taken(1, 1), pytest.raises(TooMany, match="2 answers"), quota.taken(1, 2):
        pass
    with quota.taken(2, 0):
        pass
    with quota.taken(1, 3):
        pass
    with pytest.raises(TooMany, match="3 times") as caught, quota.taken(1, 1000):
        pass
    assert caught.value.retry_after_s == 3599.0
    with quota.taken(1, 3_600_000):
        pass
