"""The assistant's adapter against a real little server on loopback that misbehaves in every way."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.assistant.model_server import ModelServer, raw, serving

from cambist.adapters.assistant.guard import allowed
from cambist.adapters.assistant.openai import OpenAiAssistant, _events
from cambist.domain.errors import AssistantFailed, AssistantRefused, BadInput, CambistError
from cambist.ports.assistant import Access, Turn

KEY = "sk-canary-0123456789"
TURNS = (Turn("system", "Be brief."), Turn("user", "Écris une stratégie."))
QUICK = OpenAiAssistant(connect_s=5.0, silence_s=0.2)


def against(server: ModelServer, act: Callable[[Access], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        async with serving(server):
            return await act(Access(url=server.url, model="alpha", key=KEY, inside=True))

    return asyncio.run(run())


def words(server: ModelServer, assistant: OpenAiAssistant | None = None) -> list[str]:
    async def act(access: Access) -> list[str]:
        return [piece async for piece in (assistant or OpenAiAssistant()).write(access, TURNS)]

    found: list[str] = against(server, act)
    return found


def refusal(server: ModelServer, assistant: OpenAiAssistant | None = None) -> CambistError:
    with pytest.raises(CambistError) as caught:
        words(server, assistant)
    assert KEY not in f"{caught.value} {caught.value!r} {caught.value.params} {caught.value.__cause__!r}"
    return caught.value


def test_words_come_piece_by_piece_in_order():
    server = ModelServer(script=["Voici : ✓ done\nwith lines"])
    pieces = words(server)
    assert "".join(pieces) == "Voici : ✓ done\nwith lines"
    assert len(pieces) > 2
    assert server.asked == [
        {
            "model": "alpha",
            "stream": True,
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Écris une stratégie."},
            ],
        }
    ]
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_without_a_key_none_is_sent():
    server = ModelServer(script=["yes"])

    async def act(access: Access) -> None:
        plain = Access(url=access.url, model="alpha", inside=True)
        assert [piece async for piece in OpenAiAssistant().write(plain, TURNS)] == ["yes"]

    against(server, act)
    assert "Authorization" not in server.headers[0]


@given(cuts=st.lists(st.integers(0, 400), max_size=12), newline=st.sampled_from([b"\n", b"\r\n"]))
def test_how_the_network_cuts_the_stream_makes_no_difference(cuts, newline):
    events = [{"choices": [{"delta": {"content": text}}]} for text in ("a", "é✓", "\n\ndata: x")]
    stream = b"".join(b"data: " + json.dumps(one, ensure_ascii=False).encode() + newline * 2 for one in events)
    stream += b"data:[DONE]" + newline * 2
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    parts = [stream[a:b] for a, b in pairwise(edges) if a < b]

    async def network() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    async def found() -> list[bytes]:
        return [one async for one in _events(network())]

    *data, last = asyncio.run(found())
    assert last == b"[DONE]"
    assert [json.loads(one) for one in data] == events


def test_half_a_character_does_no_harm():
    half = raw(b'data: {"choices": [{"delta": {"content": "a\\ud83d"}, "finish_reason": "stop"}]}\n\n')
    assert words(ModelServer(script=[half])) == ["a?"]


def test_a_service_that_does_not_stream_is_understood():
    whole = {"choices": [{"message": {"role": "assistant", "content": "all at once"}}]}
    assert words(ModelServer(script=[web.json_response(whole)])) == ["all at once"]


@pytest.mark.parametrize(
    ("status", "kind", "key"),
    [
        (401, AssistantRefused, "assistant.key_refused"),
        (403, AssistantRefused, "assistant.key_refused"),
        (404, AssistantRefused, "assistant.not_there"),
        (400, AssistantRefused, "assistant.refused"),
        (429, AssistantFailed, "assistant.busy"),
        (500, AssistantFailed, "assistant.failing"),
        (503, AssistantFailed, "assistant.failing"),
    ],
)
def test_a_bad_answer_says_what_to_do_and_never_the_key(status, kind, key):
    body = {"error": {"message": f"the key {KEY} \x1b[31m is\n wrong" + "x" * 900}}
    error = refusal(ModelServer(script=[web.json_response(body, status=status, headers={"retry-after": "17"})]))
    assert isinstance(error, kind)
    assert error.key == key
    assert len(str(error)) < 500
    assert "\x1b" not in str(error)
    assert getattr(error, "retry_after_s", None) == (17.0 if status == 429 else None)


def test_the_services_own_words_are_told():
    body = {"error": {"message": "model alpha is overworked"}}
    assert "model alpha is overworked" in str(refusal(ModelServer(script=[web.json_response(body, status=400)])))


def test_a_redirect_is_not_followed():
    moved = web.Response(status=307, headers={"location": "/elsewhere"})
    assert refusal(ModelServer(script=[moved])).key == "assistant.redirect"


@pytest.mark.parametrize(
    "play",
    [
        raw(b"data: {not json\n\n"),
        raw(b"data: 17\n\n"),
        raw(b'data: {"choices": 3}\n\n'),
        raw(b'data: {"choices": [3]}\n\n'),
        raw(b"data: \xff\xfe\n\n"),
        raw(b"data: " + b"[" * 100_000 + b"\n\n"),
        web.Response(text="{}", content_type="application/json"),
        web.Response(text="<html>", content_type="application/json"),
        web.Response(body=gzip.compress(b"data: [DONE]\n\n"), headers={"content-encoding": "gzip"}),
    ],
)
def test_what_is_no_answer_is_refused(play):
    assert refusal(ModelServer(script=[play])).key == "assistant.garbled"


@pytest.mark.parametrize(
    "play",
    [
        raw(),
        raw(b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n'),
        raw(b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n', cut=True),
        raw(b'data: {"choi', cut=True),
        web.Response(text="<html>", content_type="text/html"),
    ],
)
def test_an_answer_that_breaks_off_is_no_answer(play):
    assert refusal(ModelServer(script=[play])).key == "assistant.cut"


def test_an_error_in_the_middle_of_the_stream_is_told():
    broken = raw(b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n', b'data: {"error": {"message": "no GPU"}}\n\n')
    error = refusal(ModelServer(script=[broken]))
    assert (error.key, error.params["why"]) == ("assistant.gave_up", "no GPU")


def test_an_endless_answer_is_cut():
    async def endless(_request, response):
        while True:
            await response.write(b": nothing yet\n" * 10_000)

    assert refusal(ModelServer(script=[endless])).key == "assistant.too_long"


def test_silence_ends():
    server = ModelServer()
    server.script = [server.hang]
    assert refusal(server, QUICK).key == "assistant.too_slow"


def test_closing_the_iterator_hangs_up():
    server = ModelServer()
    server.script = [server.hang]

    async def act(access: Access) -> None:
        async with aclosing(OpenAiAssistant().write(access, TURNS)) as pieces:
            assert await anext(pieces) == "wait "
        assert await asyncio.to_thread(server.hung_up.wait, 10)

    against(server, act)


def test_a_port_where_nobody_listens_is_unreachable():
    async def run() -> None:
        server = ModelServer()
        async with serving(server):
            pass
        await OpenAiAssistant().models(Access(url=server.url, model="", inside=True))

    with pytest.raises(AssistantFailed, match=r"reached at http://127\.0\.0\.1"):
        asyncio.run(run())


def test_models_are_listed_by_name():
    server = ModelServer()
    assert against(server, OpenAiAssistant().models) == ["alpha", "zeta"]
    server.models = {"data": [{"id": "b"}, {"id": 3}, "x", {"id": "b"}, {}]}
    assert against(server, OpenAiAssistant().models) == ["b"]
    nonsense: list[Any] = [{"data": None}, [], {}]
    for server.models in nonsense:
        with pytest.raises(AssistantFailed, match="OpenAI"):
            against(server, OpenAiAssistant().models)


# -- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::]",
    ],
)
def test_no_spelling_of_this_machine_is_called_unless_allowed(host):
    server = ModelServer(script=["secrets"])

    async def act(access: Access) -> None:
        url = access.url.replace("127.0.0.1", host)
        with pytest.raises((BadInput, AssistantFailed)) as caught:
            await anext(OpenAiAssistant().write(Access(url=url, model="alpha", key=KEY), TURNS))
        if host in ("127.0.0.1", "localhost", "[::1]"):
            assert caught.value.key == "assistant.inside"

    against(server, act)
    assert server.asked == []


def test_localhost_is_called_where_it_is_allowed():
    server = ModelServer(script=["yes"])

    async def act(access: Access) -> list[str]:
        local = Access(url=access.url.replace("127.0.0.1", "localhost"), model="alpha", inside=True)
        return [piece async for piece in OpenAiAssistant().write(local, TURNS)]

    assert against(server, act) == ["yes"]


@pytest.mark.parametrize(
    ("host", "outside", "inside"),
    [
        ("93.184.216.34", True, True),
        ("2606:2800:220:1::1", True, True),
        ("127.0.0.1", False, True),
        ("10.1.2.3", False, True),
        ("172.16.0.1", False, True),
        ("192.168.1.10", False, True),
        ("::1", False, True),
        ("fd00::1", False, True),
        ("::ffff:10.0.0.1", False, True),
        ("::ffff:93.184.216.34", True, True),
        ("64:ff9b::a00:1", False, True),
        ("2002:a00:1::", False, True),
        ("169.254.169.254", False, False),
        ("::ffff:169.254.169.254", False, False),
        ("64:ff9b::a9fe:a9fe", False, False),
        ("fe80::1%eth0", False, False),
        ("224.0.0.1", False, False),
        ("ff02::1", False, False),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("255.255.255.255", False, False),
        ("100.64.0.1", False, False),
        ("127.1", False, False),
        ("nonsense", False, False),
    ],
)
def test_which_addresses_may_be_called(host, outside, inside):
    assert allowed(host, inside=False) is outside
    assert allowed(host, inside=True) is inside


@given(number=st.integers(0, 2**32 - 1))
def test_an_address_in_the_clothes_of_ipv6_is_judged_as_what_it_is(number):
    plain = ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))
    for inside in (False, True):
        assert allowed(f"::ffff:{plain}", inside=inside) is allowed(plain, inside=inside)


def test_the_key_is_in_no_repr():
    assert KEY not in repr(Access(url="https://x/v1", model="m", key=KEY))
