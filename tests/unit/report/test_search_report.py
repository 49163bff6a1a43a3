"""The report of a search as a document: what it says, in which language, and what it leaves out."""

import base64
import hashlib
import re
import shlex
from dataclasses import replace

import numpy as np
import pytest
from tests.unit.report import searches
from tests.unit.report.outline import Outline, data_of, part, words

import cambist as cb
from cambist.apps.cli.backtest import command
from cambist.backtest.optimise.report import page as page_module
from cambist.backtest.optimise.report.page import page
from cambist.backtest.optimise.report.sections import axis_rows, command_line, python
from cambist.backtest.optimise.result import Table
from cambist.backtest.report.document import read
from cambist.backtest.result import Settings
from cambist.domain.judgement import Light
from cambist.domain.proof import Proof, Verdict
from cambist.domain.search import TIMEFRAME, Axis, Goal
from cambist.domain.text import say, speak
from cambist.domain.text.search_report import TEXTS

NASTY = "</script><b onclick=alert(1)>"


@pytest.fixture(autouse=True)
def _english():
    yield
    speak("en")


def full():
    goals = (searches.SHARPE, searches.DRAWDOWN)
    return searches.searched(goals=goals, walk=searches.walk(), paths=searches.paths())


def headings(html):
    return {attrs["id"] for _, attrs in Outline(html).elements if "id" in attrs}


def test_the_verdict_stands_above_all_else():
    made = full()
    text = words(page(made))
    assert text.index(made.judgement.text) < text.index("The chosen parameters")
    for reason in made.judgement.reasons:
        assert reason.text in text


@pytest.mark.parametrize("light", Light)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_light_is_told_by_word_shape_and_colour(light, language):
    speak(language)
    html = page(searches.searched(judgement=replace(searches.verdict(), light=light)))
    text = words(html)
    assert say(f"search_report.light.{light}") in text
    assert not [other for other in Light if other is not light and say(f"search_report.light.{other}") in text]
    assert f'class="verdict {light}"' in html
    pages = [page(searches.searched(judgement=replace(searches.verdict(), light=other))) for other in Light]
    shapes = [part(r'class="lamp">(.*?)</svg>', other) for other in pages]
    assert len(set(shapes)) == len(Light)


def test_each_figure_behind_the_verdict_has_a_name_and_a_line():
    figures = searches.verdict().figures
    named = {key.removeprefix("search_report.figure.") for key in TEXTS if key.startswith("search_report.figure.")}
    assert named == {*figures, *(f"{key}.why" for key in figures)}
    text = words(page(full()))
    names = "Deflated Sharpe ratio|Probability of overfitting (PBO)|Minimum track record|Drawdown at 95 %|low end"
    names += "|Return at twice the costs|Return of buy and hold|Random entries|Trials counted"
    for name in names.split("|"):
        assert name in text
    assert "Walk-forward efficiency" not in text  # there was none


def test_a_figure_that_is_new_is_shown_under_its_own_name():
    judgement = replace(searches.verdict(), figures={"never_heard_of": 4.25})
    assert "never heard of 4.25" in words(page(searches.searched(judgement=judgement)))


def test_what_was_searched():
    text = words(page(full()))
    for expected in ("BollingerBreakout synthetic BTC/USDT", "synthetic", "1h", "2022-01-01 → 2022-05-06", "42",
                     "Grid: every combination", "trades >= 20", "Trials of this run 90", "1,234", "10 bps",
                     "8 … 80 (9 values)", "Sharpe: the more the better", "5f0c2f7a9e4d1b36"):  # fmt: skip
        assert expected in text
    axes = (
        Axis(name="length", low=2.0, high=64.0, step=2.0, whole=True),
        Axis(name="stop", low=0.001, high=0.5, log=True),
    )
    reaches = [text for _, text in axis_rows(axes)]
    assert reaches == ["2 to 64 by 2", "0.001 to 0.5 (logarithmic)"]


def test_what_users_wrote_stays_text():
    axes = (Axis(name=NASTY, values=(NASTY, "b")), Axis(name="other", values=(1, 2)))
    table = Table(
        number=np.arange(4),
        done=np.ones(4, np.bool_),
        params={NASTY: np.array([NASTY, NASTY, "b", "b"], dtype=object), "other": np.array([1.0, 2.0, 1.0, 2.0])},
        values=np.array([[1.0], [0.5], [0.25], [0.1]]),
        metrics={},
    )
    made = searches.of_table(
        axes,
        table,
        strategy=NASTY,
        called=NASTY,
        study=NASTY,
        symbols=(NASTY,),
        where=(NASTY,),
        notes=(NASTY,),
        venue=NASTY,
    )
    made = replace(made, goals=(Goal(text=NASTY),), run=NASTY)
    html = page(made)
    assert NASTY not in html
    assert words(html).count(NASTY) > 8
    outline = Outline(html)
    assert not [attrs for _, attrs in outline.elements if "onclick" in attrs]
    kinds = [attrs.get("type", "") for attrs in outline.all("script")]
    assert sorted(set(kinds)) == ["", "application/json", "module", "text/plain"]
    assert (kinds.count(""), kinds.count("module"), kinds.count("application/json")) == (1, 1, 1)


def test_nothing_is_loaded_from_anywhere_and_nothing_else_may_run():
    html = page(full())
    outline = Outline(html)
    for tag, attrs in outline.elements:
        assert not {"src", "srcset", "action", "data", "poster", "background", "style"} & attrs.keys(), tag
        assert attrs.get("href", "#").startswith("#")
        assert not [name for name in attrs if name.startswith("on")]
    policy = next(attrs["content"] for attrs in outline.all("meta") if "http-equiv" in attrs)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    bodies = re.findall(r"<(?:script|script type=\"module\"|style)>(.*?)</(?:script|style)>", html, re.DOTALL)
    assert len(bodies) == 3
    for body in bodies:
        assert base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() in policy
    own = "".join(read(name, page_module.HOME) for name in page_module.OWN_SCRIPTS)
    assert not re.search(r"https?://|\bfetch\(|XMLHttpRequest|WebSocket|\bimport\b|\beval\(|innerHTML", own)
    assert "url(" not in read("search.css", page_module.HOME)


def test_ids_are_unique():
    ids = [attrs["id"] for _, attrs in Outline(page(full())).elements if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_sections_without_data_are_absent():
    everything = {"equity", "split", "map", "spread", "stability", "front", "walk", "paths", "top", "what"}
    assert headings(page(full())) >= everything
    bare = headings(page(searches.bare()))
    assert bare & everything == {"equity", "spread", "top", "what"}
    assert "line" in bare
    assert "line" not in headings(page(full()))


def test_a_failed_proof_outshines_the_verdict():
    chosen = replace(searches.searched().chosen, proof=Proof(look_ahead=Verdict.FAIL, warm_up=Verdict.PASS))
    html = page(searches.searched(chosen=chosen))
    assert Outline(html).all("html")[0]["class"] == "is-fail"
    text = words(html)
    assert text.index("Proof failed") < text.index(searches.verdict().text)


def test_both_languages_are_whole():
    for key, (english, french) in TEXTS.items():
        assert english, key
        assert french, key
        assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", french)), key


def test_french_reads_french():
    made = full()
    english = words(page(made))
    speak("fr")
    html = page(made)
    text = words(html)
    assert Outline(html).all("html")[0]["lang"] == "fr"
    sentences = [pair[0] for pair in TEXTS.values() if pair[0] != pair[1] and len(pair[0]) > 12 and "{" not in pair[0]]
    shown = [sentence for sentence in sentences if sentence in english]
    assert len(shown) > 40
    assert not [sentence for sentence in shown if sentence in text]


def test_no_text_is_idle():
    own = (*page_module.OWN_SCRIPTS, "search.html.j2", "trials.html.j2", "page.py", "sections.py", "verdict.py")
    sources = "".join(read(name, page_module.HOME) for name in own)
    idle = []
    for key in TEXTS:
        short = key.removeprefix("search_report.")
        made_up = short.startswith(("figure.", "light.", "method.", "what."))
        if not made_up and f'"{key}"' not in sources and f'"{short}"' not in sources:
            idle.append(key)
    assert idle == []


def test_the_scripts_say_only_what_they_were_given():
    scripts = "".join(read(name) for name in page_module.SHARED_SCRIPTS if not name.startswith("vendor/"))
    scripts += "".join(read(name, page_module.HOME) for name in page_module.OWN_SCRIPTS)
    spoken = set(re.findall(r"""say\("([\w.]+)"[,)]""", scripts))
    given = data_of(page(full()))["text"]
    assert len(spoken) > 15
    assert spoken <= given.keys()


# -- the choice as something to run -----------------------------------------------------------------------------------


def test_the_command_is_one_that_the_command_line_takes():
    settings = Settings(fee_bps=7.5, volume_share=None, limit_touch=True)
    made = searches.searched(settings=settings, symbols=("BTC/USDT", "ETH/USDT"))
    program, name, *arguments = shlex.split(" ".join(command_line(made)))
    assert (program, name) == ("cambist", "backtest")
    given = command.make_context("backtest", arguments).params
    assert given["strategy"] == "BollingerBreakout"
    assert given["symbol"] == ("BTC/USDT", "ETH/USDT")
    assert (given["venue"], str(given["timeframe"])) == ("synthetic", "1h")
    assert (given["since"], given["until"]) == (made.whole.start_ts, made.whole.stop_ts)
    assert (given["fee_bps"], given["volume_share"], given["limit_touch"]) == (7.5, 0.0, True)
    assert given["slippage_bps"] == settings.slippage_bps
    assert dict(one.split("=") for one in given["chosen"]).keys() == {*made.best.params, "fraction"}


def test_the_python_gives_the_chosen_result_again(monkeypatch, tmp_path):
    monkeypatch.setenv("CAMBIST_HOME", str(tmp_path))
    cb.lake().append(searches.market())
    made = searches.searched()
    found: dict = {}
    exec(python(made), found)
    assert found["result"].metrics == made.chosen.metrics


def test_a_searched_timeframe_is_no_parameter():
    made = searches.searched()
    made = replace(made, best=replace(made.best, params={**made.best.params, TIMEFRAME: "4h"}), timeframes=("1h", "4h"))
    assert "--timeframe 4h" in command_line(made)
    assert not [piece for piece in command_line(made) if "timeframe=" in piece]
    assert "'4h'" in python(made)


def test_several_symbols_are_said_to_be_traded_otherwise():
    note = say("search_report.chosen.together")
    assert note in words(page(searches.searched(symbols=("BTC/USDT", "ETH/USDT"))))
    assert note not in words(page(searches.searched()))


def test_what_a_shell_would_misread_is_quoted():
    made = searches.searched(called="my file.py:A; rm -rf x")
    assert shlex.split(command_line(made)[0])[2] == "my file.py:A; rm -rf x"
