"""The schema of the API: valid, whole, and good enough to make clients of."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis

from cambist.apps.api.app import create
from cambist.apps.api.problems import MEDIA
from cambist.apps.api.services import open_services
from cambist.apps.cli.main import main
from cambist.apps.settings import load

_METHODS = ("get", "post", "put", "patch", "delete")
_ALWAYS = {"429", "500", "503"}


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("home") / "nowhere"
    found = create(open_services(load({"CAMBIST_HOME": str(home)}))).openapi()
    assert not home.exists()  # no database was made for it
    return found


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield f"{method.upper()} {path}", methods[method]


def without(schema: dict[str, Any], has: Any) -> list[str]:
    return [name for name, operation in operations(schema) if not has(operation)]


def test_it_is_valid_openapi_3_1(schema):
    assert schema["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(schema).validate()
    assert len(list(operations(schema))) > 50


def test_every_operation_says_what_it_is(schema):
    assert without(schema, lambda one: one.get("summary")) == []
    assert without(schema, lambda one: one.get("description")) == []
    assert without(schema, lambda one: len(one.get("tags", ())) == 1) == []


def test_operation_ids_are_unique_and_come_of_our_own_names(schema):
    ids = Counter(operation["operationId"] for _, operation in operations(schema))
    assert [name for name, count in ids.items() if count > 1] == []
    assert without(schema, lambda one: one["operationId"].startswith(f"{one['tags'][0]}_")) == []


def test_models_have_one_name_each(schema):
    """Two of the same name would be told apart by their modules, and clients would change when a file is moved."""
    assert [name for name in schema["components"]["schemas"] if "__" in name] == []


def test_every_body_has_an_example(schema):
    def shown(operation: dict[str, Any]) -> bool:
        return all(
            "example" in media or "examples" in media or _has_example(schema, media.get("schema", {}))
            for media in operation.get("requestBody", {}).get("content", {}).values()
        )

    assert without(schema, shown) == []


def test_every_answer_shows_what_stands_in_its_texts(schema):
    unshown = {
        one
        for name, operation in operations(schema)
        for status, answer in operation["responses"].items()
        if status < "300" and "application/json" in answer.get("content", {})
        for one in _unshown(schema, answer["content"]["application/json"]["schema"], name)
    }
    assert unshown == set()


def _unshown(schema: dict[str, Any], part: dict[str, Any], name: str) -> Iterator[str]:
    """Yield the texts in ``part`` of which no example says what they look like."""
    if part.keys() & {"examples", "example", "enum", "const", "default"}:
        return
    if "$ref" in part:
        yield from _unshown(schema, _found(schema, part["$ref"]), part["$ref"].rpartition("/")[2])
    for one in (*part.get("anyOf", ()), *(part[kind] for kind in ("items", "additionalProperties") if _is(part, kind))):
        yield from _unshown(schema, one, name)
    for field, one in part.get("properties", {}).items():
        yield from _unshown(schema, one, f"{name}.{field}")
    if part.get("type") == "string":
        yield name


def _is(part: dict[str, Any], kind: str) -> bool:
    return isinstance(part.get(kind), dict)


def _has_example(schema: dict[str, Any], part: dict[str, Any]) -> bool:
    """Tell whether a body can be made of the examples in ``part``: of an object, of its fields that are required."""
    if "$ref" in part:
        return _has_example(schema, _found(schema, part["$ref"]))
    if part.get("examples") or "example" in part or "enum" in part or "const" in part or part.get("type") == "boolean":
        return True
    some = part.get("anyOf") or part.get("oneOf") or part.get("allOf")
    if some:
        return all(_has_example(schema, one) for one in some if one.get("type") != "null")
    own = {name: _has_example(schema, one) for name, one in part.get("properties", {}).items()}
    return any(own.values()) and all(own[name] for name in part.get("required", ()))


def _found(schema: dict[str, Any], ref: str) -> dict[str, Any]:
    part: dict[str, Any] = schema
    for name in ref.removeprefix("#/").split("/"):
        part = part[name]
    return part


def test_every_operation_documents_its_problems_and_nothing_of_the_frameworks(schema):
    def told(operation: dict[str, Any]) -> bool:
        problems = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        of_ours = all(
            answer.get("content", {}).get(MEDIA, {}).get("schema", {}).get("$ref") == "#/components/schemas/Problem"
            for status, answer in problems.items()
            if operation["operationId"] != "health_ready" or status != "503"
        )
        return problems.keys() >= _ALWAYS and of_ours

    assert without(schema, told) == []
    assert "HTTPValidationError" not in json.dumps(schema)


def test_money_in_bodies_is_text(schema):
    """No body takes money as a JSON number: what was 0.1 would not be."""
    money = {"amount", "budget", "price", "quantity", "notional", "deposit", "cash", "fee", "limit_price", "value"}
    wrong = [
        f"{model}.{name}"
        for model in _of_bodies(schema)
        for name, field in schema["components"]["schemas"][model].get("properties", {}).items()
        if name in money and "number" in {one.get("type") for one in (field, *field.get("anyOf", ()))}
    ]
    assert wrong == []


def _of_bodies(schema: dict[str, Any]) -> set[str]:
    """Return the names of all models that bodies are made of."""
    found: set[str] = set()
    waiting = [json.dumps(operation.get("requestBody", {})) for _, operation in operations(schema)]
    while waiting:
        for name in set(re.findall(r'"#/components/schemas/([^"]+)"', waiting.pop())) - found:
            found.add(name)
            waiting.append(json.dumps(schema["components"]["schemas"][name]))
    return found


def test_the_command_writes_it_to_the_screen_or_to_a_file(schema, tmp_path: Path, monkeypatch, capsys):
    file = tmp_path / "openapi.json"
    program = [sys.executable, "-c", "from cambist.apps.cli.main import main; main()", "openapi"]
    environment = {
        "PATH": "",
        "CAMBIST_HOME": str(tmp_path / "home"),
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x",
    }
    shown = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(shown.stdout) == json.loads(json.dumps(schema))
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["openapi", "--out", str(file)])
    assert json.loads(file.read_text(encoding="utf-8")) == json.loads(shown.stdout)
    assert not (tmp_path / "home").exists()
    capsys.readouterr()
    with pytest.raises(SystemExit, match=r"^1$"):
        main(["openapi", "--out", str(tmp_path)])
    assert "--out" in capsys.readouterr().err
