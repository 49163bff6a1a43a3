"""How the functions of routes are called: what blocks in a thread, and what waits for nothing in the loop."""

import threading
from contextvars import ContextVar

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from cambist.apps.api.area import PREFIX, Area, quick, quick_if

WHOSE: ContextVar[str] = ContextVar("whose", default="nobody's")


@pytest.fixture(params=[False, True], ids=["served", "beside"])
def beside(request) -> bool:
    """Tell whether the database is a file beside us."""
    return bool(request.param)


@pytest.fixture
def client(beside):
    one, other = Area("/one", tags=["one"]), Area(tags=["other"])

    @one.get("/{name}")
    def blocks(name: str, loud: bool = False) -> dict[str, str]:
        return {"name": name.upper() if loud else name, "thread": threading.current_thread().name, "var": WHOSE.get()}

    @one.get("/{name}/few")
    @quick
    def few(name: str) -> dict[str, str]:
        return {"name": name, "thread": threading.current_thread().name, "var": WHOSE.get()}

    @one.get("/{name}/list")
    @quick_if(lambda given: not given["bot"])
    def listed(name: str, bot: str | None = None) -> dict[str, str]:
        return {"name": name, "thread": threading.current_thread().name, "var": WHOSE.get()}

    @one.post("/{name}", status_code=201)
    async def waits(name: str) -> str:
        return threading.current_thread().name

    @other.get("/two/{name}")
    def fails(name: str) -> None:
        raise KeyError(name)

    app = FastAPI()
    app.state.beside = beside
    for area in (one, other):
        app.include_router(area, prefix=PREFIX)

    @app.middleware("http")
    async def marked(request, answer):
        WHOSE.set("this request's")
        return await answer(request)

    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_what_blocks_is_called_in_a_thread_of_the_routes_and_knows_its_request(client):
    told = client.get(f"{PREFIX}/one/ann", params={"loud": True}).json()
    assert told["name"] == "ANN"
    assert told["thread"].startswith("route")
    assert told["var"] == "this request's"


def test_few_rows_of_a_file_beside_us_are_read_without_a_thread(client, beside):
    told = client.get(f"{PREFIX}/one/ann/few").json()
    assert told["thread"].startswith("route") is not beside
    assert (told["name"], told["var"]) == ("ann", "this request's")


def test_a_list_that_may_look_at_every_row_is_read_in_a_thread(client, beside):
    assert client.get(f"{PREFIX}/one/ann/list", params={"bot": "b"}).json()["thread"].startswith("route")
    assert client.get(f"{PREFIX}/one/ann/list").json()["thread"].startswith("route") is not beside


def test_what_does_not_block_is_called_in_the_loop(client):
    answer = client.post(f"{PREFIX}/one/ann")
    assert answer.status_code == 201
    assert not answer.json().startswith("route")


def test_what_a_thread_raises_is_the_request_s(client):
    assert client.get(f"{PREFIX}/two/ann").status_code == 500


@pytest.mark.parametrize("path", ["/one", "/oneself/ann", "/two", "/three/ann", "/one/ann/more", ""])
def test_what_is_no_area_s_is_not_found(client, path):
    assert client.get(f"{PREFIX}{path}").status_code == 404


def test_another_method_of_an_address_is_named_as_that(client):
    assert client.put(f"{PREFIX}/one/ann").status_code == 405
