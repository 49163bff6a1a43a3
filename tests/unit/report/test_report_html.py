"""The page as a document: what it says, in which language, and what it never does."""

import base64
import hashlib
import re
from importlib.resources import files

import pytest
from tests.unit.report.outline import Outline, words
from tests.unit.report.sample import PROVED, START, result

from cambist.backtest.report import page as page_module
from cambist.backtest.report.document import read
from cambist.backtest.report.page import page
from cambist.domain.metrics import METRICS
from cambist.domain.proof import Difference, Proof, Verdict
from cambist.domain.text import say, speak
from cambist.domain.text.report import TEXTS
from cambist.domain.timeframe import Timeframe

NASTY = "<script>alert('x')</script>"
FAILED = Proof(
    look_ahead=Verdict.FAIL,
    warm_up=Verdict.PASS,
    checks=3,
    look_ahead_difference=Difference(
        ts=START, symbol="BTC/USDT", column=NASTY, used=101.123456789, truncated=101.123456781
    ),
)
SKIPPED = Proof(look_ahead=Verdict.SKIPPED, warm_up=Verdict.SKIPPED)


@pytest.fixture(autouse=True)
def _english():
    yield
    speak("en")


def test_all_of_it_is_there():
    made = result(params={"fast": 24}, notes=("three orders were too small",))
    text = words(page([made]))
    for expected in (
        "EmaCross",
        "BTC/USDT",
        "No look-ahead found, warm-up long enough",
        "fast",
        "24",
        "10 bps",
        "5 bps",
    ):
        assert expected in text
    for expected in (made.data_hash, made.code_hash, "three orders were too small", "2022-01-01 00:00", "compiled"):
        assert expected in text
    for metric in METRICS.values():
        assert metric.name in text


def test_what_users_wrote_stays_text():
    made = result(strategy=NASTY, params={NASTY: NASTY}, symbols=(NASTY,), notes=(NASTY,), proof=FAILED)
    html = page([made, made])
    assert NASTY not in html
    assert words(html).count(NASTY) > 8
    kinds = [attrs.get("type", "") for attrs in Outline(html).all("script")]
    assert kinds.count("") == 1
    assert kinds.count("module") == 1
    assert not [kind for kind in kinds if kind not in ("", "module", "application/json", "text/plain")]


def test_ids_are_unique():
    ids = [attrs["id"] for _, attrs in Outline(page([result(), result(seed=2)])).elements if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_nothing_is_loaded_from_anywhere():
    html = page([result()])
    outline = Outline(html)
    for tag, attrs in outline.elements:
        assert not {"src", "srcset", "action", "data", "poster", "background"} & attrs.keys(), tag
        assert attrs.get("href", "#").startswith("#")
        assert "style" not in attrs
        assert not [name for name in attrs if name.startswith("on")]
    for style in re.findall(r"<style>(.*?)</style>", html, re.DOTALL):
        assert "url(" not in style
        assert "@import" not in style
    own = "".join(read(name) for name in page_module._SCRIPTS if not name.startswith("vendor/"))
    assert not re.search(r"https?://|\bfetch\(|XMLHttpRequest|WebSocket|\bimport\b|\beval\(|innerHTML", own)


def test_the_policy_names_our_scripts_and_nothing_else():
    html = page([result()])
    policy = next(attrs["content"] for attrs in Outline(html).all("meta") if "http-equiv" in attrs)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for body in re.findall(r"<(?:script|script type=\"module\"|style)>(.*?)</(?:script|style)>", html, re.DOTALL):
        assert base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() in policy


@pytest.mark.parametrize(
    ("proof", "state", "title"),
    [
        (PROVED, "pass", "report.proof.pass"),
        (FAILED, "fail", "report.proof.fail"),
        (SKIPPED, "skipped", "report.proof.skipped"),
    ],
)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_stamp_brands_the_page(proof, state, title, language):
    speak(language)
    html = page([result(proof=proof)])
    assert Outline(html).all("html")[0]["class"] == f"is-{state}"
    assert say(title) in words(html)
    others = {"report.proof.pass", "report.proof.fail", "report.proof.skipped"} - {title}
    assert not [key for key in others if say(key) in words(html)]


def test_a_failed_proof_names_candle_column_and_both_values():
    text = words(page([result(proof=FAILED)]))
    for expected in ("2022-01-01 00:00", NASTY, "101.123456789", "101.123456781"):
        assert expected in text


def test_one_failure_among_several_brands_the_whole_page():
    html = page([result(), result(strategy="Peeks", proof=FAILED)])
    assert Outline(html).all("html")[0]["class"] == "is-fail"
    assert "Peeks" in words(re.findall(r'<section class="stamp fail".*?</section>', html, re.DOTALL)[0])


def test_both_languages_have_every_text_and_the_same_gaps():
    for key, (english, french) in TEXTS.items():
        assert english
        assert french
        assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", french)), key
    assert len(TEXTS["report.months.names"][0].split()) == len(TEXTS["report.months.names"][1].split()) == 12


def test_french_reads_french():
    made = result(params={})
    english = words(page([made]))
    speak("fr")
    html = page([made])
    text = words(html)
    assert Outline(html).all("html")[0]["lang"] == "fr"
    assert "Repli maximal" in text
    assert "10\u202f000,00" in text
    same = {TEXTS[key][0] for key in TEXTS if TEXTS[key][0] != TEXTS[key][1] and len(TEXTS[key][0]) > 12}
    assert not [sentence for sentence in same if "{" not in sentence and sentence in text and sentence in english]


def test_the_scripts_say_only_what_they_were_given():
    scripts = "".join(read(name) for name in page_module._SCRIPTS if not name.startswith("vendor/"))
    spoken = set(re.findall(r"""say\("([\w.]+)"[,)]""", scripts))
    html = page([result()])
    assert len(spoken) > 8
    assert not [key for key in spoken if f'"{key}":' not in html]


def test_several_results_stand_side_by_side():
    outline = Outline(page([result(strategy="One"), result(strategy="Two", seed=4), result(strategy="Three", seed=5)]))
    tabs = [attrs for _, attrs in outline.elements if attrs.get("role") == "tab"]
    panels = [attrs for _, attrs in outline.elements if attrs.get("role") == "tabpanel"]
    assert [tab["aria-controls"] for tab in tabs] == [panel["id"] for panel in panels]
    assert [tab["aria-selected"] for tab in tabs] == ["true", "false", "false"]
    assert ["hidden" in panel for panel in panels] == [False, True, True]
    assert any(attrs.get("class") == "best" for attrs in outline.all("td"))


def test_results_of_one_strategy_are_told_apart_by_their_parameters():
    text = words(page([result(params={"fast": 5}), result(params={"fast": 9})]))
    assert "EmaCross (fast=5)" in text
    assert "EmaCross (fast=9)" in text


def test_results_on_one_market_share_its_candles():
    one = len(page([result(8_000)]))
    four = len(page([result(8_000, strategy=f"S{i}", seed=i) for i in range(4)]))
    assert four < 2.2 * one


@pytest.mark.parametrize("size", [1, 2, 40])
def test_short_runs_without_trades(size):
    text = words(page([result(size, count=0)]))
    assert "No trade was made." in text


def test_a_report_needs_a_result():
    with pytest.raises(ValueError, match="at least one"):
        page([])


def test_half_a_million_candles_stay_small():
    html = page([result(525_600, count=12_000, timeframe=Timeframe.M1)])
    assert len(html.encode()) < 8_500_000


def test_the_library_is_whole_and_licensed():
    vendor = files("cambist.backtest.report").joinpath("vendor")
    assert "MIT" in vendor.joinpath("LICENSE").read_text()
    assert "1.6.32" in vendor.joinpath("README.md").read_text()
    assert "Leon Sorokin" in page([result(50, count=2)])
