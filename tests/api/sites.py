"""A whole API over a database of its own, and people who are signed in to it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.databases import sqlite_url

from cambist.apps.api.app import create
from cambist.apps.api.area import PREFIX
from cambist.apps.api.services import Services, open_services
from cambist.apps.settings import Settings, load
from cambist.domain.person import Person, Role
from cambist.ports.bus import Bus
from cambist.usecases.office import Visit
from cambist.usecases.signing_in import begin_session

NO_PASSWORD = "no password opens this"  # hashing one takes a third of a second, and few tests need it


class Site:
    """The API, its services, and clients for people: ``with site(tmp_path) as here: here.person("ann").get("/me")``."""

    def __init__(self, services: Services, app: FastAPI, client: TestClient) -> None:
        self.services = services
        self.app = app
        self.anybody = client
        self._first = True

    def person(self, name: str, role: Role = Role.TRADE) -> "Visitor":
        """Add somebody, and return a client that is signed in as them. The first to come is user 1."""
        people, now = self.services.office.people, self.services.now_ms()
        found = people.named(name)
        if found is not None:
            person = found[0]
        elif self._first:
            person = people.add_first(name, NO_PASSWORD, now) or people.add(name, NO_PASSWORD, role, now)
        else:
            person = people.add(name, NO_PASSWORD, role, now)
        self._first = False
        return self.signed_in(person)

    def signed_in(self, person: Person) -> "Visitor":
        """Return a client with a new session of ``person``."""
        session = begin_session(
            self.services.office, person, Visit(now_ms=self.services.now_ms(), actor=person.name), "login"
        )
        return Visitor(self, person, session.access_token)


class Visitor:
    """A client that carries one person's access token; paths are those below ``/api/v1``."""

    def __init__(self, site: Site, person: Person, token: str) -> None:
        self._site = site
        self.person = person
        self.id = person.id
        self.token = token

    def ask(self, method: str, path: str, **given: Any) -> Any:
        """Send a request and return its response."""
        headers: Mapping[str, str] = {"Authorization": f"Bearer {self.token}", **given.pop("headers", {})}
        return self._site.anybody.request(method, f"{PREFIX}{path}", headers=dict(headers), **given)

    def get(self, path: str, **given: Any) -> Any:
        """Read."""
        return self.ask("GET", path, **given)

    def post(self, path: str, json: Any = None, **given: Any) -> Any:
        """Create, or ask for something."""
        return self.ask("POST", path, json=json, **given)

    def put(self, path: str, json: Any = None, **given: Any) -> Any:
        """Replace."""
        return self.ask("PUT", path, json=json, **given)

    def patch(self, path: str, json: Any = None, **given: Any) -> Any:
        """Change."""
        return self.ask("PATCH", path, json=json, **given)

    def delete(self, path: str, **given: Any) -> Any:
        """Delete."""
        return self.ask("DELETE", path, **given)


def settings_in(folder: Path, **environment: str) -> Settings:
    """Return settings that keep everything in ``folder``, in a database that is there and current."""
    sqlite_url(folder / "cambist.db")
    return load({"CAMBIST_HOME": str(folder), **environment})


@contextmanager
def site(folder: Path, *, bus: Bus | None = None, **environment: str) -> Iterator[Site]:
    """Open an API whose home is ``folder``."""
    services = open_services(settings_in(folder, **environment), bus=bus)
    app = create(services)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Site(services, app, client)
