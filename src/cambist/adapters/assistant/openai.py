"""`OpenAiAssistant`: chat completions as OpenAI has shaped them, streamed."""

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import aiohttp

from cambist.adapters.assistant.guard import Guard
from cambist.domain.errors import AssistantFailed, AssistantRefused, BadInput, CambistError
from cambist.ports.assistant import Access, Turn

_MOST_BYTES = 4_000_000
"""Of one answer: a list of all models is the longest that is useful."""
_MOST_MODELS = 2_000
_LONGEST_REASON = 200


class OpenAiAssistant:
    """The port `Assistant` over HTTP."""

    def __init__(self, *, connect_s: float = 10.0, silence_s: float = 60.0, longest_s: float = 300.0) -> None:
        self._timeout = aiohttp.ClientTimeout(total=longest_s, sock_connect=connect_s, sock_read=silence_s)

    async def write(self, access: Access, turns: Sequence[Turn]) -> AsyncGenerator[str, None]:
        """Yield the answer to ``turns`` as it comes; closing the iterator hangs up."""
        body = {
            "model": access.model,
            "stream": True,
            "messages": [{"role": turn.role, "content": turn.text} for turn in turns],
        }
        async with _telling(access), self._answered(access, "POST", "/chat/completions", body) as response:
            if "json" in response.headers.get("content-type", ""):  # it does not stream
                yield _whole(_parsed(await _read(response)))
                return
            ended = False
            async with aclosing(_events(response.content.iter_any())) as events:
                async for data in events:
                    if data == b"[DONE]":
                        ended = True
                        break
                    text, last = _piece(_parsed(data), access)
                    ended = ended or last
                    if text:
                        yield text
            if not ended:
                raise AssistantFailed("assistant.cut")

    async def models(self, access: Access) -> list[str]:
        """Return the names of the models that there are, sorted."""
        async with _telling(access), self._answered(access, "GET", "/models") as response:
            found = _parsed(await _read(response))
        listed = found.get("data") if isinstance(found, dict) else None
        if not isinstance(listed, list):
            raise AssistantFailed("assistant.garbled")
        names = {one["id"] for one in listed if isinstance(one, dict) and isinstance(one.get("id"), str)}
        return sorted(names)[:_MOST_MODELS]

    @asynccontextmanager
    async def _answered(
        self, access: Access, method: str, path: str, body: dict[str, Any] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request and give its answer, if that is a good one."""
        guard = Guard(inside=access.inside)
        # what is packed could unpack to more than we would read
        headers = {"Accept-Encoding": "identity", "User-Agent": "cambist"}
        if access.key:
            headers["Authorization"] = f"Bearer {access.key}"
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(socket_factory=guard.socket),
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            headers=headers,
        ) as session:
            try:
                request = session.request(method, f"{access.url}{path}", json=body, allow_redirects=False)
                response = await request
            except (aiohttp.ClientError, OSError, ValueError) as error:
                if guard.refused:
                    raise BadInput("url", access.url, "assistant.inside") from None
                if isinstance(error, TimeoutError):
                    raise
                raise AssistantFailed("assistant.unreachable", url=access.url) from None
            async with response:
                if response.status != 200:
                    raise await _refusal(response, access)
                if response.headers.get("content-encoding", "identity") != "identity":
                    raise AssistantFailed("assistant.garbled")
                yield response


@asynccontextmanager
async def _telling(access: Access) -> AsyncIterator[None]:
    """Turn what goes wrong under way into our own errors. Their causes are left out: a cause may hold the key."""
    try:
        yield
    except TimeoutError:
        raise AssistantFailed("assistant.too_slow", url=access.url) from None
    except (aiohttp.ClientError, OSError):
        raise AssistantFailed("assistant.cut") from None


async def _events(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield the data of each server-sent event, however the network has cut them."""
    buffer, data, size = bytearray(), [], 0
    async for chunk in chunks:
        size += len(chunk)
        if size > _MOST_BYTES:
            raise AssistantFailed("assistant.too_long")
        seen = len(buffer)
        buffer += chunk
        while (end := buffer.find(b"\n", seen)) >= 0:
            line, seen = bytes(buffer[:end]).rstrip(b"\r"), 0
            del buffer[: end + 1]
            if line.startswith(b"data:"):
                data.append(line[5:].removeprefix(b" "))
            elif not line and data:
                yield b"\n".join(data)
                data = []
    if data:  # the last event, and nothing after it
        yield b"\n".join(data)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    found = bytearray()
    async for chunk in response.content.iter_any():
        found += chunk
        if len(found) > _MOST_BYTES:
            raise AssistantFailed("assistant.too_long")
    return bytes(found)


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise AssistantFailed("assistant.garbled") from None


def _piece(event: Any, access: Access) -> tuple[str, bool]:
    """Return the text of one event of the stream, and whether it is the last."""
    if isinstance(event, dict) and event.get("error"):
        raise AssistantFailed("assistant.gave_up", why=_reason(event, access))
    choice = _choice(event)
    if choice is None:  # the last of all may hold the count of words alone
        return "", False
    delta = choice.get("delta")
    text = delta.get("content") if isinstance(delta, dict) else None
    return _sound(text) if isinstance(text, str) else "", bool(choice.get("finish_reason"))


def _whole(answer: Any) -> str:
    message = (_choice(answer) or {}).get("message")
    text = message.get("content") if isinstance(message, dict) else None
    if not isinstance(text, str):
        raise AssistantFailed("assistant.garbled")
    return _sound(text)


def _sound(text: str) -> str:
    """Return ``text`` without halves of characters: JSON can hold them, nothing else can."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _choice(event: Any) -> dict[str, Any] | None:
    """Return the first choice of an answer; None if it has none. Raises `AssistantFailed` for what is no answer."""
    choices = event.get("choices") if isinstance(event, dict) else None
    if not isinstance(choices, list) or not all(isinstance(one, dict) for one in choices):
        raise AssistantFailed("assistant.garbled")
    return choices[0] if choices else None


async def _refusal(response: aiohttp.ClientResponse, access: Access) -> CambistError:
    """Return what a bad answer means."""
    status = response.status
    if 300 <= status < 400:
        return AssistantRefused("assistant.redirect", url=access.url)
    if status in (401, 403):
        return AssistantRefused("assistant.key_refused")  # their words may repeat parts of the key
    if status == 429:
        after = response.headers.get("retry-after", "")
        return AssistantFailed("assistant.busy", float(after) if after.isdecimal() and len(after) < 6 else None)
    if status >= 500:
        return AssistantFailed("assistant.failing", status=status)
    why = ""
    if "json" in response.headers.get("content-type", ""):
        try:
            why = _reason(_parsed(await _read(response)), access)
        except AssistantFailed:
            why = ""
    if status == 404:
        return AssistantRefused("assistant.not_there", url=access.url, model=access.model, why=why)
    return AssistantRefused("assistant.refused", status=status, why=why)


def _reason(answer: Any, access: Access) -> str:
    """Return the service's own words on what went wrong, in one line and without the key."""
    error = answer.get("error") if isinstance(answer, dict) else None
    words = error.get("message") if isinstance(error, dict) else error
    if not isinstance(words, str):
        return ""
    line = " ".join(words.split())
    if access.key:  # all of it, or its beginning and stars
        line = re.sub(rf"{re.escape(access.key[:6])}\S*", "…", line)
    return "".join(char for char in line if char.isprintable())[:_LONGEST_REASON]
