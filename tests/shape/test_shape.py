"""The shape of the house: sizes, public names, texts, and what must not stand in a file."""

import re
import string
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path

import pytest

import cambist as cb
from cambist.domain.text import all_texts
from cambist.strategies._base import Strategy

ROOT = Path(__file__).parents[2]
MOST_LINES, HABIT = 700, 400
CODE = {".py", ".js", ".css", ".html", ".j2", ".vue", ".ts", ".sh"}
VENDORED = "vendor"  # others' code, kept as they wrote it


@cache
def files() -> tuple[Path, ...]:
    """Return the files that are ours: in the repository, or new in one of its folders and not ignored.

    New files beside the Makefile are what its user tries out: the demo's report, a first strategy.
    """
    kept = listed("--cached")
    new = [name for name in listed("--others", "--exclude-standard") if "/" in name]
    return tuple(path for name in (*kept, *new) if (path := ROOT / name).is_file())


def listed(*which: str) -> list[str]:
    try:
        done = subprocess.run(["git", "ls-files", "-z", *which], cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs a git checkout: {error}")
    return [name for name in done.stdout.decode().split("\0") if name]


def is_code(path: Path) -> bool:
    return (path.suffix in CODE or path.parts[-2:] == (".ci", "run")) and VENDORED not in path.parts


@cache
def text_of(path: Path) -> str | None:
    """Return the text of a file, None if it is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


# -- sizes ------------------------------------------------------------------------------------------------------------


def test_the_lists_are_not_empty():
    assert sum(map(is_code, files())) > 200


def test_no_file_is_too_long():
    lengths = {path: len((text_of(path) or "").splitlines()) for path in files() if is_code(path)}
    long = {path.relative_to(ROOT).as_posix(): length for path, length in lengths.items() if length > HABIT}
    if long:
        rows = "".join(f"\n  {length:4} {name}" for name, length in sorted(long.items(), key=lambda one: -one[1]))
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.warn(f"files over {HABIT} lines (the habit, not the limit):{rows}", stacklevel=1)
    assert {name: length for name, length in long.items() if length > MOST_LINES} == {}


# -- names ------------------------------------------------------------------------------------------------------------


def test_the_public_names_are_these():
    assert cb.__all__ == [
        "Candles",
        "Instrument",
        "Kind",
        "SignalStrategy",
        "Signals",
        "Strategy",
        "TemplateStrategy",
        "Timeframe",
        "backtest",
        "between",
        "crossed_above",
        "crossed_below",
        "indicators",
        "lake",
        "load_strategy",
        "on_larger",
        "param",
        "read_candles",
        "resample",
        "sweep",
        "synthetic_market",
    ]
    assert cb.__all__ == sorted(cb.__all__)
    assert dir(cb) == cb.__all__


@pytest.mark.parametrize("name", cb.__all__)
def test_a_public_name_is_there_and_says_what_it_is(name):
    public = getattr(cb, name)
    assert public.__doc__
    assert callable(public) or name == "indicators"


def test_other_names_are_not_there():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = cb.nonsense


def test_a_strategy_offers_few_methods():
    methods = [name for name in dir(Strategy) if not name.startswith("_") and callable(getattr(Strategy, name))]
    properties = [name for name in dir(Strategy) if isinstance(getattr(Strategy, name), property)]
    assert len(methods) + len(properties) < 20, (methods, properties)


def test_no_file_has_a_name_that_says_nothing():
    forbidden = {"utils", "helpers", "common", "misc", "manager", "util", "helper"}
    assert [path for path in files() if path.stem.strip("_").lower() in forbidden] == []


# -- imports ----------------------------------------------------------------------------------------------------------


HELP = """
import contextlib, io
import cambist.apps.cli.main as cli
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    cli.main(["--help"])
"""


@pytest.mark.parametrize(
    "code",
    [
        "import cambist",
        "import cambist; cambist.param, cambist.Timeframe, cambist.Candles",
        HELP,
    ],
    ids=["import cambist", "its words", "cambist --help"],
)
def test_what_is_not_used_is_not_imported(code):
    heavy = {"numpy", "pandas", "numba", "talib", "pyarrow", "sqlalchemy", "ccxt", "jinja2", "rich"}
    if "param" in code:
        heavy -= {"numpy"}  # the strategies hold arrays
    asked = f"import sys\n{code}\nprint(*sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True, encoding="utf-8")
    assert done.stdout.split() == []


# -- texts ------------------------------------------------------------------------------------------------------------


def placeholders(sentence: str) -> set[tuple[str, str, str]]:
    parts = string.Formatter().parse(sentence)
    return {(name, spec or "", conversion or "") for _, name, spec, conversion in parts if name is not None}


@pytest.mark.parametrize("key", all_texts())
def test_a_text_says_the_same_in_both_languages(key):
    english, french = all_texts()[key]
    assert english.strip()
    assert french.strip()
    assert placeholders(english) == placeholders(french)


def test_no_key_of_a_text_is_used_twice():
    found: dict[str, str] = {}
    for path in sorted((ROOT / "src/cambist/domain/text").glob("[!_]*.py")):
        for key in re.findall(r"^    \"([\w.]+)\": ", path.read_text(encoding="utf-8"), re.MULTILINE):
            assert key not in found, f"{key}: {found[key]} and {path.name}"
            found[key] = path.name
    assert found.keys() == all_texts().keys()


def test_each_key_that_is_said_has_its_text():
    said = {
        key: path
        for path in (ROOT / "src").rglob("*.py")
        for key in re.findall(r"\bsay\(\s*\"([\w.]+)\"", path.read_text(encoding="utf-8"))
    }
    assert {key: path for key, path in said.items() if key not in all_texts()} == {}


# -- what must not stand in a file ------------------------------------------------------------------------------------


def test_the_lock_names_no_registry():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "http:" not in lock
    assert "https:" not in lock
    assert "index-url" not in lock
    assert not re.search(r"^(-|.* @ )", lock, re.MULTILINE)


def test_no_other_lock_is_kept():
    locks = {"uv.lock", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "poetry.lock"}
    assert [path for path in files() if path.name in locks] == []


# spelled in pieces, so that this file does not find itself
STRANGE = re.compile(
    "|".join(
        (
            r"(?<![\w.$}>)])/" + r"(?:work|root|home/[a-z]+|Users/[A-Za-z]+)/",  # somebody's machine
            r"[\w-]+\." + r"(?:jfrog|artifactory|nexus|cloudsmith)\.",
            "arti" + "factory/",
            r"(?:pypi|npm|registry|proxy|mirror)[\w.-]*\." + r"(?:internal|local|lan|corp|intra)\b",
            r"simple/?\s+--trusted" + "-host",
            r"\bextra-" + r"index-url\b",
        )
    )
)


@pytest.mark.parametrize(
    "planted", ["/" + "work/main", "see /" + "root/.venv", "pypi." + "internal", "x.jf" + "rog.io"]
)
def test_what_is_strange_is_seen(planted):
    assert STRANGE.search(planted) or STRANGE.search(planted + "/")


def test_no_file_tells_of_the_machine_that_it_was_written_on():
    found = {}
    for path in files():
        text = text_of(path)
        match = STRANGE.search(text) if text is not None and VENDORED not in path.parts else None
        if match:
            found[path.relative_to(ROOT).as_posix()] = match[0]
    assert found == {}
