"""Long lists of fills, page by page, so that none is missed: venues cut them at a size, and at a span of time."""

from collections.abc import Awaitable, Callable
from typing import Any

from cambist.adapters.venues.ccxt.quirks import Pages
from cambist.domain.errors import VenueUnavailable

Page = Callable[[int | None, int | None], Awaitable[list[dict[str, Any]]]]
"""Asks for the fills between two times (ms); for the newest, if there are none."""


async def complete_fills(pages: Pages, page: Page, since_ms: int, now_ms: int, venue: str) -> list[dict[str, Any]]:
    """Return ccxt's trades from ``since_ms`` on, each once, oldest first.

    Raises `VenueUnavailable` where more fills bear one time than fit on a page: we could not tell which are missing.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    end_ms = now_ms + 60_000  # our idea of the venue's clock may be a little behind
    start_ms = since_ms
    if pages.newest_of_all:
        newest = await page(None, None)
        found = {_name(trade): trade for trade in newest}
        if len(newest) < pages.size or min(trade["timestamp"] for trade in newest) < since_ms:
            return _in_order(found, since_ms)
    if pages.history_ms is not None:
        start_ms = max(start_ms, end_ms - pages.history_ms)
    span_ms = pages.window_ms or end_ms - start_ms
    while start_ms < end_ms:
        stop_ms = min(end_ms, start_ms + span_ms)
        await _window(pages, page, start_ms, stop_ms, venue, found)
        start_ms = stop_ms
    return _in_order(found, since_ms)


async def _window(
    pages: Pages,
    page: Page,
    start_ms: int,
    stop_ms: int,
    venue: str,
    found: dict[tuple[str, str], dict[str, Any]],
) -> None:
    while True:
        trades = await page(start_ms, stop_ms)
        fresh = {_name(trade): trade for trade in trades}
        found.update(fresh)
        if len(trades) < pages.size:
            return
        # the edge is asked for again, to the end of its ms: several fills may bear that time, cut off from more digits
        edges = [trade["timestamp"] for trade in trades]
        nearer = (start_ms, min(edges) + 1) if pages.newest_first else (max(edges), stop_ms)
        if nearer == (start_ms, stop_ms):
            raise VenueUnavailable("venue.fills_stuck", venue=venue, ts=edges[0])
        start_ms, stop_ms = nearer


def _in_order(found: dict[tuple[str, str], dict[str, Any]], since_ms: int) -> list[dict[str, Any]]:
    kept = [trade for trade in found.values() if trade["timestamp"] >= since_ms]
    return sorted(kept, key=lambda trade: (trade["timestamp"], len(str(trade["id"])), str(trade["id"])))


def _name(trade: dict[str, Any]) -> tuple[str, str]:
    return str(trade["symbol"]), str(trade["id"])
