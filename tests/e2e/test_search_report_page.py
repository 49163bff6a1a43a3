"""The report of a search in a real browser: it opens offline, draws, tells, sorts, and speaks two languages."""

import re
from functools import cache

import pytest
from tests.e2e.browsing import COLOURS, launched, settle, tabs
from tests.unit.report import searches

from cambist.backtest.optimise.report.page import page
from cambist.domain.text import speak

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.browser

MAP = "#map-chart"
# How many different colours stand on a net of a hundred points.
CELLS = """canvas => {
    const { width, height } = canvas, pixels = new Uint32Array(
        canvas.getContext("2d").getImageData(0, 0, width, height).data.buffer);
    const found = new Set();
    for (let y = 1; y <= 10; y++) for (let x = 1; x <= 10; x++) {
        found.add(pixels[Math.round(height * y / 12) * width + Math.round(width * x / 11)]);
    }
    return found.size;
}"""
DRAWN = "canvas => canvas.toDataURL()"


@pytest.fixture(scope="module")
def browser():
    with launched() as chromium:
        yield chromium


@cache
def written(kind, language):
    made = {
        "full": lambda: searches.searched(
            goals=(searches.SHARPE, searches.DRAWDOWN), walk=searches.walk(), paths=searches.paths()
        ),
        "three goals": lambda: searches.searched(goals=(searches.SHARPE, searches.DRAWDOWN, searches.TRADES)),
        "bare": searches.bare,
        "wide": lambda: searches.of_table(*searches.wide(20_000)),
    }[kind]()
    speak(language)
    html = page(made)
    speak("en")
    return html


@pytest.fixture
def show(browser, tmp_path):
    with tabs(browser, tmp_path) as opened:
        yield lambda kind="full", language="en", **options: opened(written(kind, language), **options)


def test_every_chart_is_drawn(show):
    tab = show()
    canvases = tab.locator(".uplot canvas").all()
    # equity, map, spread, front, walk, fan, and the spread of the paths
    assert len(canvases) == 7
    for canvas in canvases:
        assert canvas.evaluate(COLOURS) > 12


def test_the_map_shows_its_cells_and_tells_what_stands_there(show):
    tab = show()
    assert tab.locator(f"{MAP} canvas").evaluate(CELLS) > 20
    tab.locator(MAP).scroll_into_view_if_needed()
    box = tab.locator(f"{MAP} .u-over").bounding_box()
    told = set()
    for share in (0.1, 0.5, 0.9):
        tab.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.5)
        told.add(tab.locator(f"{MAP} .tip").inner_text())
    assert len(told) == 3
    for text in told:
        assert re.search(r"period \d+(?s:.)*width(?s:.)*2(?s:.)*Sharpe", text)
    tab.mouse.move(5, 5)
    assert tab.locator(f"{MAP} .tip").is_hidden()


def test_the_axes_of_the_map_can_be_chosen_and_never_agree(show):
    tab = show()
    across, up = tab.locator("#map-x"), tab.locator("#map-y")
    before = tab.locator(f"{MAP} canvas").evaluate(DRAWN)
    seen = {before}
    for name in ("width", "stop_loss", "period"):
        across.select_option(name)
        settle(tab)
        assert across.input_value() == name
        assert up.input_value() != name
        seen.add(tab.locator(f"{MAP} canvas").evaluate(DRAWN))
        assert name in tab.locator(f"{MAP} .plot").get_attribute("aria-label")
    assert len(seen) == 4
    across.select_option("period")
    up.select_option("width")
    settle(tab)
    assert tab.locator(f"{MAP} canvas").evaluate(DRAWN) == before


def test_keys_walk_over_the_map_from_the_chosen_cell(show):
    tab = show()
    tab.locator(f"{MAP} .plot").focus()
    tab.keyboard.press("ArrowRight")
    said = tab.locator(f"{MAP} output")
    assert "chosen" in said.inner_text()
    first = said.inner_text()
    tab.keyboard.press("ArrowUp")
    assert said.inner_text() != first
    for _ in range(12):
        tab.keyboard.press("ArrowLeft")
    assert "period 8," in said.inner_text()
    tab.keyboard.press("Escape")
    assert tab.locator(f"{MAP} .tip").is_hidden()


def test_keys_walk_over_all_planes(show):
    tab = show()
    for plane in tab.locator(".plane").all():
        plane.locator(".plot").focus()
        for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
            tab.keyboard.press(key)
        assert plane.locator(".tip").is_visible()
        assert plane.locator("output").inner_text()


def test_three_goals_are_looked_at_two_at_a_time(show):
    tab = show("three goals")
    canvas = tab.locator("#front-chart canvas")
    before = canvas.evaluate(DRAWN)
    tab.locator("#front-y").select_option("Trades")
    settle(tab)
    assert canvas.evaluate(DRAWN) != before


def test_a_single_axis_is_a_line(show):
    tab = show("bare")
    assert tab.locator("#map-chart").count() == 0
    assert tab.locator("#line-chart canvas").evaluate(COLOURS) > 12
    tab.locator("#line-chart .plot").focus()
    tab.keyboard.press("ArrowRight")
    assert "chosen" in tab.locator("#line-chart output").inner_text()


def test_the_figures_behind_the_verdict_unfold_by_key(show):
    tab = show()
    assert tab.get_by_text("Deflated Sharpe ratio").is_hidden()
    tab.locator(".figures summary").focus()
    tab.keyboard.press("Enter")
    assert tab.get_by_text("Deflated Sharpe ratio").is_visible()


def test_the_best_trials_are_sorted_by_any_column(show):
    tab = show()
    heads = tab.locator(".trials thead th")
    names = [text.strip() for text in heads.all_inner_texts()]
    for name in ("Sharpe", "period", "Trades"):
        at = names.index(name)
        for order, way in (("descending", -1), ("ascending", 1)):
            while heads.nth(at).get_attribute("aria-sort") != order:
                heads.nth(at).locator("button").click()
            assert tab.locator(".trials th[aria-sort]:not([aria-sort=none])").count() == 1
            keys = tab.locator(f".trials tbody td:nth-child({at + 1})").evaluate_all(
                "all => all.map(td => td.dataset.key)"
            )
            values = [float(key) for key in keys]
            assert values == sorted(values, key=lambda value: way * value)
            assert values[0] != values[-1]
    assert tab.locator(".trials tr.chosen").count() == 1


def test_the_choice_can_be_copied(show):
    tab = show(permissions=["clipboard-read", "clipboard-write"])
    for button, expected in zip(
        tab.locator(".copy").all(), ("cambist backtest Boll", "import cambist as cb\n"), strict=True
    ):
        button.click()
        tab.wait_for_function("button => button.textContent === 'Copied'", arg=button.element_handle())
        text = tab.evaluate("() => navigator.clipboard.readText()")
        assert text.startswith(expected)
        assert "period" in text


def test_both_themes(show):
    tab = show()
    background = "() => getComputedStyle(document.body).backgroundColor"
    dark = tab.evaluate(background)
    drawn = [canvas.evaluate(DRAWN) for canvas in tab.locator(".uplot canvas").all()]
    tab.locator("#theme").click()
    settle(tab)
    settle(tab)
    assert tab.evaluate(background) != dark
    for canvas, before in zip(tab.locator(".uplot canvas").all(), drawn, strict=True):
        assert canvas.evaluate(COLOURS) > 12
        assert canvas.evaluate(DRAWN) != before
    assert show(color_scheme="light").evaluate(background) != dark


def test_french(show):
    tab = show(language="fr")
    text = tab.locator("body").inner_text()
    for expected in ("Rapport de recherche", "Meilleurs essais", "Repli maximal", "Carte de chaleur", "mis de côté"):
        assert expected in text
    for foreign in ("Best trials", "Drawdown", "Buy and hold", "chosen"):
        assert foreign not in text
    assert tab.locator("html").get_attribute("lang") == "fr"


@pytest.mark.parametrize(("kind", "width"), [("full", 360), ("full", 768), ("full", 1920), ("wide", 360)])
def test_nothing_sticks_out(show, kind, width):
    tab = show(kind, viewport={"width": width, "height": 800})
    assert tab.evaluate("() => document.documentElement.scrollWidth") <= width
    if width == 360:
        over = tab.locator(f"{MAP} .u-over").bounding_box()
        assert over["width"] > width / 2
