"""A real Chromium, offline, for pages that need nothing but themselves."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # the suggestions below the address bar, which nobody sees, would be two pages more for each of ours
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",
]
READY = "html[data-ready]"
# How many different colours a canvas holds: one if nothing was drawn.
COLOURS = """canvas => {
    const pixels = new Uint32Array(
        canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    return new Set(pixels).size;
}"""


def chromium() -> str | None:
    known = ("/usr/bin/chromium", *(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")))
    return next((path for path in known if path and Path(path).exists()), None)


@contextmanager
def launched() -> Iterator[Any]:
    """Give the browser; skip the test where there is none."""
    from playwright.sync_api import sync_playwright

    path = chromium()
    if path is None:
        pytest.skip("no chromium at /usr/bin/chromium or on PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def tabs(browser: Any, folder: Path) -> Iterator[Callable[..., Any]]:
    """Give what opens a page in a tab; afterwards nothing may have gone wrong or left the machine."""
    contexts: list[Any] = []
    wrong: list[str] = []

    def opened(html: str, **options: Any) -> Any:
        target = folder / f"page-{len(contexts)}.html"
        target.write_text(html, encoding="utf-8")
        context = browser.new_context(
            offline=True, **{"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark", **options}
        )
        context.set_default_timeout(120_000)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        own = target.as_uri()
        tab.on("request", lambda sent: wrong.append(sent.url) if not sent.url.startswith((own, "blob:")) else None)
        tab.goto(own)
        tab.wait_for_selector(READY)
        settle(tab)
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert not wrong


def settle(tab: Any) -> None:
    tab.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
