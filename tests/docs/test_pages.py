"""The pages say all that there is: each command, option, metric, indicator, public name, dependency and decision."""

import importlib
import os
import re
import subprocess
import sys
import tomllib
from itertools import pairwise

import click
import pytest
from tests.docs import generated
from tests.docs.pages import DOCS, PAGES, ROOT, blocks, headings, name, prose

import cambist as cb
from cambist.apps.cli.main import COMMANDS
from cambist.domain.metrics import METRICS, Unit
from cambist.domain.order import TimeInForce
from cambist.domain.proof import Verdict
from cambist.domain.refusal import Reason
from cambist.domain.text import all_texts
from cambist.domain.timeframe import Timeframe
from cambist.domain.trade import ExitReason, Trade
from cambist.strategies._base import Strategy


def read(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def told(page: str) -> set[str]:
    """Return what stands between backquotes on a page, and each word of it."""
    spans = re.findall(r"`([^`\n]+)`", prose(DOCS / page))
    return {*spans, *(word for span in spans for word in re.findall(r"[\w.-]+", span))}


def rows(page: str) -> set[str]:
    """Return the names with which the rows of a page's tables begin."""
    return {
        key for first in re.findall(r"^\| ([^|]*) \|", read(page), re.MULTILINE) for key in re.findall(r"`(\w+)", first)
    }


def options() -> list[tuple[str, str]]:
    found = []
    for group, file in COMMANDS.items():
        for called, command in generated.every(group, importlib.import_module(f"cambist.apps.cli.{file}").command):
            for parameter in command.params:
                if isinstance(parameter, click.Option):
                    found += [(called, option) for option in (*parameter.opts, *parameter.secondary_opts)]
    return found


# -- the command line -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", generated.PARTS)
def test_the_generated_parts_are_up_to_date(part):
    page = generated.PAGES[part]
    text = page.read_text(encoding="utf-8")
    assert generated.up_to_date(text, generated.in_english(part)) == text, (
        f"{name(page)} is behind the code; write it anew: .venv/bin/python -m tests.docs.generated"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_its_section(command):
    assert f"### `cambist {command}`\n" in read("command-line.md")


@pytest.mark.parametrize(("command", "option"), options())
def test_each_option_stands_in_its_commands_section(command, option):
    section = read("command-line.md").partition(f"### `cambist {command}`\n")[2].partition("\n### ")[0]
    assert re.search(rf"^\| `(--[\w-]+ / )?{option}[ `]", section, re.MULTILINE), f"cambist {command} {option}"


def test_each_option_of_a_backtest_is_explained():
    explained = {option for option in told("backtests.md") if option.startswith("--")}
    shown = {"--symbol", "--timeframe", "--venue", "--report", "--json", "--no-keep"}  # what to run, and where it goes
    assert {option for command, option in options() if command == "backtest"} - explained - shown == set()


@pytest.mark.parametrize(
    "variable",
    ["CAMBIST_HOME", "CAMBIST_LANG", "DATABASE_URL", "BUS_URL", "CAMBIST_VENUE_URL", "CAMBIST_KEY_"],
)
def test_each_environment_variable_is_explained(variable):
    assert variable in rows("getting-started.md")


def test_no_other_environment_variable_is_read():
    read_ones = {
        found
        for file in (ROOT / "src").rglob("*.py")
        for found in re.findall(r"environ(?:\.get\(|\[)\"(\w+)\"|env\.get\(\"(\w+)\"", file.read_text(encoding="utf-8"))
    }
    names = {one or other for one, other in read_ones}
    assert names <= rows("getting-started.md") | {"LC_ALL", "LANG", "COLUMNS"}, "explain it in getting-started.md"


# -- what is measured, seen and called --------------------------------------------------------------------------------


def test_each_metric_is_explained_and_no_other():
    page = read("metrics.md")
    explained = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert sorted(explained) == sorted(METRICS)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.key)
def test_each_metric_is_told_in_its_unit(metric):
    words = {Unit.PERCENT: "fraction", Unit.RATIO: "ratio", Unit.MONEY: "money", Unit.COUNT: "count", Unit.DAYS: "days"}
    unit = re.search(rf"^\| `{metric.key}` \| ([^|]*) \|", read("metrics.md"), re.MULTILINE)
    assert unit is not None
    assert unit[1].startswith(words[metric.unit])


@pytest.mark.parametrize("indicator", cb.indicators.names())
def test_each_indicator_is_in_the_catalogue(indicator):
    assert f"| `{indicator}` |" in read("indicators.md")


@pytest.mark.parametrize("public", cb.__all__)
def test_each_public_name_is_documented(public):
    assert re.search(rf"`cb\.{public}\b", read("python-api.md"))


def test_each_setting_of_backtest_is_explained():
    from inspect import signature

    from cambist.backtest.run import backtest

    settings = set(signature(backtest).parameters) - {"strategy", "candles"}
    assert settings - told("python-api.md") == set()
    assert settings - {"progress", "proof"} - told("backtests.md") == set()


def test_each_member_of_a_strategy_is_explained():
    members = {member for member in dir(Strategy) if not member.startswith("_")}
    assert members | {"position"} <= rows("strategies.md")


def test_each_parameter_of_buy_is_explained():
    from inspect import signature

    from cambist.strategies._base import _enter

    parameters = set(signature(_enter).parameters) - {"side"}
    assert parameters - told("strategies.md") == set()
    assert {str(value) for value in TimeInForce} - told("strategies.md") == set()


def test_each_column_of_signals_is_explained():
    from cambist.strategies._signals import FLAGS, FRACTIONS

    assert {*FLAGS, *FRACTIONS} <= rows("strategies.md")


def test_each_method_of_the_template_is_explained():
    methods = {method for method in vars(cb.TemplateStrategy) if method.startswith(("should_", "calculate_"))}
    assert methods - told("strategies.md") == set()


def test_the_json_of_a_trade_is_explained():
    fields = set(Trade.__dataclass_fields__)
    assert fields - told("results.md") == set()
    # a position never ends by a limit order of its own
    assert {str(reason) for reason in ExitReason} - {"limit"} - told("results.md") == set()


def test_each_verdict_is_explained():
    assert {str(verdict) for verdict in Verdict} <= told("proof.md")


def test_each_timeframe_is_told():
    assert set(Timeframe) <= told("candles.md")


def test_each_refusal_has_its_text():
    assert {f"refused.{reason}" for reason in Reason} <= all_texts().keys()


# -- dependencies and decisions ---------------------------------------------------------------------------------------


def requirements() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    return [re.split(r"[\s<>=!~\[;]", requirement)[0] for requirement in listed]


def test_each_dependency_has_its_reason_and_no_other():
    page = prose(DOCS / "decisions/0002-dependencies.md").partition("## Considered")[0]
    assert sorted(re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)) == sorted(requirements())


def test_each_decision_is_in_the_index_and_in_the_menu():
    decisions = sorted(page.name for page in (DOCS / "decisions").glob("0*.md"))
    index = read("decisions/index.md")
    menu = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert re.findall(r"\]\((0[\w-]+\.md)\)", index) == decisions
    assert re.findall(r"decisions/(0[\w-]+\.md)", menu) == decisions
    assert [decision[:4] for decision in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]


@pytest.mark.parametrize("page", sorted((DOCS / "decisions").glob("0*.md")), ids=name)
def test_each_decision_bears_its_number_and_its_title(page):
    title = page.read_text(encoding="utf-8").partition("\n")[0]
    number = page.name[:4]
    assert title.startswith(f"# {number}: ")
    assert f"| [{number}]({page.name}) | {title.partition(': ')[2]} |" in read("decisions/index.md")


# -- pages ------------------------------------------------------------------------------------------------------------


def test_the_french_readme_is_in_step():
    english, french = ROOT / "README.md", ROOT / "README.fr.md"
    assert headings(french) == headings(english)
    assert [block.text for block in blocks(french)] == [block.text for block in blocks(english)]
    assert links(french) == links(english)


def links(page) -> list[str]:
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)) if "://" not in target]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    for link in links(page):
        target, _, anchor = link.partition("#")
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), f"{name(page)}: {link}"
        if anchor:
            titles = re.findall(r"^#+ (.+)$", prose(there), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in anchors, f"{name(page)}: {link}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_has_one_title_and_skips_no_level(page):
    levels = headings(page)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(level <= before + 1 for before, level in pairwise(levels))


def test_the_site_builds_without_a_warning_and_fetches_nothing(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    for page in (tmp_path / "site").rglob("*.html"):
        fetched = re.findall(
            r"<(?:script|img|iframe)[^>]* src=\"(?:https?:)?//[^\"]*|<link[^>]* href=\"(?:https?:)?//[^\"]*",
            page.read_text(),
        )
        assert fetched == [], page


def test_the_picture_of_the_readme_is_small():
    assert all(image.stat().st_size < 300_000 for image in (DOCS / "images").iterdir())
