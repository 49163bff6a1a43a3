"""What the pages ask of the API is what the API answers to: address, method, and each field of the body."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.docs.pages import PAGES, name

from cambist.apps.api.app import create
from cambist.apps.api.services import open_services
from cambist.apps.settings import load

_CALL = re.compile(r"""^ *(curl (?:[^'"\n\\]|\\\n|'[^']*'|"[^"]*")+)""", re.MULTILINE)


def calls() -> Iterator[Any]:
    """Yield each curl of the pages as method, address and body; None if the page shows no body."""
    for page in PAGES:
        for found in _CALL.findall(page.read_text(encoding="utf-8")):
            words = shlex.split(found)
            address = next(urlsplit(word).path for word in words if "/api/v1/" in word)
            given = {flag: words[words.index(flag) + 1] for flag in ("-X", "-d") if flag in words}
            method = given.get("-X", "POST" if "-d" in given else "GET").lower()
            body = json.loads(given["-d"]) if given.get("-d", "").startswith('{"') else None
            yield pytest.param(method, address, body, id=f"{name(page)} {method} {address}")


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return create(open_services(load({"CAMBIST_HOME": "nowhere"}))).openapi()


@pytest.mark.parametrize(("method", "address", "body"), list(calls()))
def test_what_a_page_asks_of_the_api_is_what_it_answers_to(schema, method, address, body):
    pattern = re.compile(r"\{[^}]*\}")
    (operation,) = [
        methods[method]
        for path, methods in schema["paths"].items()
        if method in methods and re.fullmatch(pattern.sub("[^/]+", path), address)
    ]
    if body is None:
        return
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    wanted = schema["components"]["schemas"][reference.rpartition("/")[2]]
    assert body.keys() <= wanted["properties"].keys()
    assert set(wanted.get("required", ())) <= body.keys()


def test_the_pages_show_how_to_sign_in_and_how_to_make_a_token_and_a_bot():
    assert {("post", f"/api/v1/{what}") for what in ("auth/login", "tokens", "bots")} <= {
        (call.values[0], call.values[1]) for call in calls()
    }
