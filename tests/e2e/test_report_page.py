"""The report in a real browser: it opens offline, draws, sorts, zooms, and speaks two languages."""

import time
from pathlib import Path

import pytest
from tests.e2e.browsing import COLOURS, launched, settle, tabs
from tests.unit.report.sample import START, result

from cambist.backtest.report.page import page
from cambist.domain.proof import Difference, Proof, Verdict
from cambist.domain.text import speak
from cambist.domain.timeframe import Timeframe

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.browser

ROWS = ".trade-list tbody tr:not(.spacer)"
CLOCK = ".result:not([hidden]) .clock"
PNL = 7  # the place of its cell, when there is one symbol and one strategy


@pytest.fixture(scope="module")
def browser():
    with launched() as chromium:
        yield chromium


@pytest.fixture
def show(browser, tmp_path):
    """Return a function that opens results in a tab; afterwards nothing may have gone wrong or left the machine."""
    with tabs(browser, tmp_path) as opened:

        def visit(*results, language="en", **options):
            speak(language)
            html = page(results)
            speak("en")
            return opened(html, **options)

        yield visit


def clock(tab):
    """Return how many ms the charts show."""
    settle(tab)
    first, last = tab.locator(CLOCK).inner_text().split(" – ")
    return (stamp(last) - stamp(first)) * 1000


def stamp(text):
    return time.mktime(time.strptime(text, "%Y-%m-%d %H:%M"))


def test_charts_are_drawn(show):
    tab = show(result())
    canvases = tab.locator(".plot canvas").all()
    assert len(canvases) == 4  # equity, drawdown, price, one indicator
    for canvas in canvases:
        assert canvas.evaluate(COLOURS) > 20
    assert tab.locator(".navigator canvas").evaluate(COLOURS) > 5


def test_sorting_trades(show):
    tab = show(result(count=300))
    heading = tab.get_by_role("button", name="P&L", exact=True)
    for order, best_first in (("descending", True), ("ascending", False)):
        heading.click()
        assert tab.locator("th[aria-sort]:not([aria-sort=none])").get_attribute("aria-sort") == order
        shown = [row.locator("td").nth(PNL).inner_text() for row in tab.locator(ROWS).all()[:10]]
        values = [float(text.replace("−", "-").replace(",", "")) for text in shown]
        assert values == sorted(values, reverse=best_first)
        assert (values[0] > 0) is best_first
    for index in range(tab.locator(".trade-list th").count()):
        tab.locator(".trade-list th button").nth(index).click()
        assert tab.locator(".trade-list th").nth(index).get_attribute("aria-sort") != "none"


def test_only_the_trades_in_sight_exist_and_all_can_be_reached(show):
    tab = show(result(count=1_500))
    assert tab.locator(ROWS).count() < 60
    tab.locator(".trade-list").focus()
    tab.keyboard.press("End")
    settle(tab)
    assert tab.locator(ROWS).last.locator("td").first.inner_text() == "1500"
    tab.get_by_text("Losers", exact=True).click()
    assert "of 1,500" in tab.locator(".count").inner_text()
    assert all("−" in row.locator("td").nth(PNL).inner_text() for row in tab.locator(ROWS).all()[:8])


def test_a_trade_zooms_the_chart_by_mouse_and_by_keyboard(show):
    tab = show(result())
    whole = clock(tab)
    tab.locator(ROWS).nth(3).click()
    assert clock(tab) < whole / 5
    assert tab.locator(f"{ROWS}.chosen").count() == 1
    tab.get_by_role("button", name="All", exact=True).click()
    assert clock(tab) == pytest.approx(whole)
    tab.locator(".trade-list").focus()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    assert clock(tab) < whole / 5


def test_hovering_a_mark_tells_of_its_trade(show):
    tab = show(result(200, count=3), reduced_motion="reduce")  # then the page is at the chart at once
    tab.locator(ROWS).first.click()
    settle(tab)
    box = tab.locator(".market .u-over").first.bounding_box()
    for step in range(20, 80):
        x = box["x"] + box["width"] * step / 100
        for y in range(int(box["y"]) + 5, int(box["y"] + box["height"]), 12):
            tab.mouse.move(x, y)
            if tab.locator(".tip:visible").count():
                text = tab.locator(".tip").inner_text()
                for part in ("Entry", "P&L", "Why it ended", "Held"):
                    assert part in text
                assert "long" in text or "short" in text
                return
    pytest.fail("no mark was found under the cursor")


def test_wheel_keys_buttons_and_drag_zoom(show):
    tab = show(result())
    whole = clock(tab)
    plot = tab.locator(".plot").first
    plot.focus()
    tab.keyboard.press("+")
    closer = clock(tab)
    assert closer < whole
    tab.keyboard.press("0")
    assert clock(tab) == pytest.approx(whole)
    shown = tab.locator(CLOCK).inner_text()
    box = tab.locator(".u-over").first.bounding_box()
    tab.mouse.move(box["x"] + 300, box["y"] + 50)
    tab.keyboard.down("Control")
    tab.mouse.wheel(0, -120)
    tab.keyboard.up("Control")
    tab.mouse.move(5, 5)
    # to turn the wheel does not wait for the page
    tab.wait_for_function(f"all => document.querySelector('{CLOCK}').innerText !== all", arg=shown)
    assert clock(tab) < whole
    tab.get_by_role("button", name="1W", exact=True).click()
    assert clock(tab) == pytest.approx(7 * 86_400_000, abs=120_000)
    tab.mouse.move(box["x"] + 200, box["y"] + 50)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 500, box["y"] + 60, steps=5)
    tab.mouse.up()
    tab.mouse.move(5, 5)
    assert clock(tab) < 4 * 86_400_000


def test_the_theme_follows_the_system_and_the_button(show):
    tab = show(result(500, count=20))
    background = "() => getComputedStyle(document.body).backgroundColor"
    canvas = tab.locator(".price canvas")
    dark, drawn = tab.evaluate(background), canvas.screenshot()
    tab.locator("#theme").click()
    settle(tab)
    assert tab.evaluate(background) != dark
    assert canvas.screenshot() != drawn
    assert tab.evaluate("() => document.documentElement.dataset.theme") == "light"
    assert show(result(500, count=20), color_scheme="light").evaluate(background) != dark


def test_french(show):
    tab = show(result(count=300), language="fr")
    text = tab.locator("body").inner_text()
    for expected in ("Repli", "Rendement par mois", "Capital", "Enregistrer en CSV", "10\u202f000,00"):
        assert expected in text
    assert "Drawdown" not in text
    assert tab.locator("html").get_attribute("lang") == "fr"


def test_a_failed_proof_stays_in_sight(show):
    difference = Difference(ts=START, symbol="BTC/USDT", column="enter_long", used=1.0, truncated=0.0)
    proof = Proof(look_ahead=Verdict.FAIL, warm_up=Verdict.PASS, look_ahead_difference=difference)
    tab = show(result(500, count=20, proof=proof))
    band = tab.locator(".stamp.fail")
    assert band.bounding_box()["width"] == pytest.approx(1440, abs=20)
    tab.evaluate("() => scrollTo(0, document.body.scrollHeight)")
    settle(tab)
    assert band.bounding_box()["y"] == pytest.approx(0, abs=1)
    assert "enter_long" in band.inner_text()


def test_tabs_and_markets(show):
    tab = show(result(strategy="One"), result(strategy="<b>Two</b>", symbols=("BTC/USDT", "ETH/USDT"), seed=3))
    assert tab.locator(".compare-chart canvas").evaluate(COLOURS) > 20
    tab.get_by_role("tab", name="One").focus()
    tab.keyboard.press("ArrowRight")
    tab.wait_for_selector("#result-1 .market .plot canvas")
    settle(tab)
    assert tab.locator("#result-0").is_hidden()
    assert tab.locator("#result-1 .market canvas").first.evaluate(COLOURS) > 20
    tab.locator("#result-1 .market-pick").select_option("1")
    settle(tab)
    shown = tab.locator("#result-1 .price:visible .legend").inner_text()
    assert "ETH/USDT" in shown


def test_the_trades_can_be_saved(show):
    tab = show(result(count=40))
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Save as CSV").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert len(lines) == 41
    assert lines[0].startswith("symbol,strategy,side,entry_ts")


@pytest.mark.parametrize("width", [360, 768, 1920])
def test_nothing_sticks_out(show, width):
    tab = show(
        result(count=40, params={"a_parameter_with_a_long_name": "x" * 90}), viewport={"width": width, "height": 800}
    )
    assert tab.evaluate("() => document.documentElement.scrollWidth") <= width


def test_the_shortest_and_emptiest_results_open(show):
    show(result(1, count=0))
    show(result(2, count=0))
    tab = show(result(60, count=0))
    assert "No trade was made." in tab.locator("body").inner_text()


def test_half_a_million_candles_open(show):
    made = result(525_600, count=12_000, timeframe=Timeframe.M1)
    tab = show(made)
    print(f"opened within {tab.evaluate('() => performance.now()'):.0f} ms")
    assert tab.locator(".price canvas").evaluate(COLOURS) > 20
    tab.get_by_role("button", name="1D", exact=True).click()
    assert clock(tab) == pytest.approx(86_400_000, abs=120_000)
    assert "one bar" in tab.locator(".price .legend").inner_text()
    tab.get_by_role("button", name="Zoom in").click(click_count=4)
    settle(tab)
    assert "one bar" not in tab.locator(".price .legend").inner_text()
