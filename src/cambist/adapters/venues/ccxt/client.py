"""How ccxt's exchanges are set up here: numbers as text, answers that must be JSON, and addresses that can be moved."""

from typing import Any
from urllib.parse import urlsplit

from cambist.adapters.venues.ccxt.lazy import error_classes, exchange_class
from cambist.domain.text import say

# These build their markets from the list of currencies; the others fetch it for wallets alone, which costs a request.
_NEED_CURRENCIES = ("bitso", "hyperliquid", "kraken", "latoken")


def connect(venue: str, *, base_url: str | None = None, timeout_s: float = 10.0) -> Any:
    """Return ccxt's blocking client of ``venue`` for public data, paced to the venue's published rate.

    Its numbers are text, never float. ``base_url`` moves every address ``https://host/path`` to
    ``base_url/host/path``. Raises KeyError for a venue that ccxt does not know.
    """
    exchange = _strict(exchange_class(venue))({"enableRateLimit": True, "timeout": round(timeout_s * 1000)})
    if venue not in _NEED_CURRENCIES:
        exchange.has["fetchCurrencies"] = False
    if base_url is not None:
        exchange.urls["api"] = moved(exchange.urls["api"], base_url.rstrip("/"), exchange.hostname or "")
    return exchange


def moved(urls: Any, base_url: str, hostname: str) -> Any:
    """Return ccxt's ``urls`` (a string, or dicts of them at any depth) under ``base_url``, host first, then path."""
    if isinstance(urls, dict):
        return {name: moved(url, base_url, hostname) for name, url in urls.items()}
    parts = urlsplit(str(urls).replace("{hostname}", hostname))
    base = "ws" + base_url.removeprefix("http") if parts.scheme.startswith("ws") else base_url
    return f"{base}/{parts.netloc}{parts.path}"


def _strict(exchange: Any) -> Any:
    bad_response = error_classes().BadResponse

    class Strict(exchange):  # type: ignore[misc]
        number = str

        def fetch(self, *args: Any, **kwargs: Any) -> Any:
            # ccxt hands out a body that is not JSON as a string, and its parsers then walk along the characters:
            # half an answer, or a proxy's page under status 200, would come out as nonsense candles
            answer = super().fetch(*args, **kwargs)
            if isinstance(answer, str):
                raise bad_response(say("venue.detail.not_json", start=answer[:80]))
            return answer

    return Strict


def market_kind(symbol: str) -> str:
    """Return how ccxt calls the family of ``symbol``: ``spot``, ``linear`` or ``inverse`` (`BTC/USD:BTC`)."""
    pair, _, settled_in = symbol.partition(":")
    if not settled_in:
        return "spot"
    return "inverse" if settled_in.split("-")[0] == pair.split("/")[0] else "linear"


def load_only(exchange: Any, kind: str) -> None:
    """Make ``exchange`` load the markets of one `market_kind` where it can be told: the others cost a request each."""
    wish = exchange.options.get("fetchMarkets")
    if not isinstance(wish, dict) or not isinstance(wish.get("types"), list):
        return
    wish["allTypes"] = every = list(wish.get("allTypes") or wish["types"])
    wish["types"] = [name for name in every if name == kind or (name == "swap" and kind != "spot")] or every
