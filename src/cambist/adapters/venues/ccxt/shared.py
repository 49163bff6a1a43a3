"""One ccxt exchange for all, and a view of it for each account.

ccxt keeps an account's keys, its nonces and what its private streams said in the fields of the exchange object, and
reads them while it signs, between awaits. To change them from call to call would send one user's order with another's
key. Here each account has a view: an object of the same class that shares the markets, the HTTP session, the clock and
the request budget of the one loaded exchange, and has everything personal for itself. The shared one holds no keys.
"""

import logging
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from copy import deepcopy
from hashlib import sha256
from typing import Any

import aiohttp
import certifi

from cambist.adapters.venues.ccxt.client import moved
from cambist.adapters.venues.ccxt.lazy import error_classes, exchange_class
from cambist.adapters.venues.ccxt.pace import Pacer
from cambist.adapters.venues.ccxt.quirks import Quirks
from cambist.domain.credentials import Credentials
from cambist.domain.text import say

logging.getLogger("ccxt").setLevel(logging.WARNING)  # below that it writes down every request, keys and all

# what ccxt's set_markets fills
_MARKETS = (
    "markets",
    "markets_by_id",
    "symbols",
    "ids",
    "currencies",
    "currencies_by_id",
    "codes",
    "baseCurrencies",
    "quoteCurrencies",
    "markets_loading",
)
# what ccxt learns about one account: fresh for each view
_PERSONAL: dict[str, Any] = {
    "balance": {},
    "clients": {},
    "ws_dial_backoff": {},
    "transactions": {},
    "trades": {},
    "orders": None,
    "triggerOrders": None,
    "myTrades": None,
    "positions": None,
    "accounts": None,
    "accountsById": None,
    "liquidations": None,
    "myLiquidations": None,
}
NOBODY = "nobody"
Unpack = Callable[[Any], Iterable[Any]]
"""What turns a message of the venue into those that ccxt shall read."""


class Answer:
    """The status and the headers of the answer to one request; `errors.translate` reads them off an error."""

    def __init__(self) -> None:
        self.status_code = 0
        self.headers: Mapping[str, str] = {}


_ANSWER: ContextVar[Answer] = ContextVar("answer")


def wall_ms() -> int:
    """Return this machine's time (ms)."""
    return time.time_ns() // 1_000_000


class Clock:
    """Our clock, and how far the venue's is ahead of it."""

    def __init__(self, ours_ms: Callable[[], int] = wall_ms) -> None:
        self.ours_ms = ours_ms
        self.ahead_ms = 0


def open_exchange(
    quirks: Quirks, pacer: Pacer, clock: Clock, *, base_url: str | None, testnet: bool, timeout_s: float
) -> Any:
    """Return the shared exchange of ``quirks``: no markets yet, no keys, numbers as text.

    ``base_url`` moves every address ``https://host/path`` to ``base_url/host/path``, WebSockets likewise.
    Raises KeyError for one that ccxt does not know.
    """
    made = type("Paced", (_Paced, exchange_class(quirks.id, "ccxt.pro")), {})
    exchange: Any = made(
        {
            "enableRateLimit": False,
            "timeout": round(timeout_s * 1000),
            "timeout_on_exit": 0,
            "options": {"defaultType": "spot", "maxRetriesOnFailure": 0, **deepcopy(dict(quirks.options))},
        }
    )
    if testnet:
        exchange.set_sandbox_mode(True)
    if base_url is not None:
        exchange.urls["api"] = moved(exchange.urls["api"], base_url.rstrip("/"), exchange.hostname or "")
    exchange.pacer, exchange.clock, exchange.user = pacer, clock, NOBODY
    exchange.counts_up, exchange.nonces = quirks.nonces_count_up, {}
    exchange.pushes, exchange.went_on_as = quirks.pushes, quirks.went_on_as
    for words, name in quirks.errors:
        exchange.exceptions["exact"].pop(words, None)
        exchange.exceptions["broad"][words] = getattr(error_classes(), name)
    return exchange


def open_session(exchange: Any) -> None:
    """Give ``exchange`` its HTTP session; must run in the event loop in which it will live."""
    # ccxt's own lets a hundred requests out at once and holds the rest back first come first served: a cancellation
    # would wait behind them, after its turn had come
    connector = aiohttp.TCPConnector(limit=0, ssl=ssl.create_default_context(cafile=certifi.where()))
    exchange.own_session = False
    exchange.session = aiohttp.ClientSession(connector=connector)


def view_of(exchange: Any, credentials: Credentials) -> Any:
    """Return a view of the shared ``exchange`` that signs with ``credentials`` and shares nothing personal."""
    made = object.__new__(type(exchange))
    made.__dict__.update(exchange.__dict__)
    made.options = deepcopy(exchange.options)
    made.__dict__.update(deepcopy(_PERSONAL))
    made.apiKey, made.secret = credentials.api_key, credentials.secret
    made.password, made.uid = credentials.password or None, credentials.uid or None
    made.user = key_name(credentials)
    return made


def refresh(view: Any, exchange: Any) -> None:
    """Let ``view`` see the markets that ``exchange`` has now."""
    ours, theirs = view.__dict__, exchange.__dict__
    for name in _MARKETS:
        if name in theirs:
            ours[name] = theirs[name]
    for name in exchange.options.get("marketHelperProps") or ():  # what else ccxt learnt with the markets
        if name in exchange.options:
            view.options[name] = exchange.options[name]


def key_name(credentials: Credentials) -> str:
    """Return a name for the key by which budgets and bans know it, and from which it cannot be guessed."""
    return sha256(credentials.api_key.encode()).hexdigest()[:12]


class _Paced:
    """What is put before ccxt's class of an exchange: each request asks the `Pacer`, and tells it what came."""

    number = str
    pacer: Pacer
    clock: Clock
    user: str
    nonces: dict[str, int]
    counts_up: bool
    pushes: Callable[[], Unpack] | None
    went_on_as: Callable[[Mapping[str, Any]], str] | None

    async def fetch_order(self, id: str | None, symbol: str | None = None, params: Any = None) -> Any:
        exchange: Any = super()
        order = await exchange.fetch_order(id, symbol, params or {})
        later = self.went_on_as(order["info"]) if self.went_on_as else ""
        return await exchange.fetch_order(later, symbol) if later else order

    async def fetch2(
        self, path: str, api: Any = "public", method: str = "GET", params: Any = None, config: Any = None
    ) -> Any:
        exchange: Any = super()
        params, config = params or {}, config or {}
        cost = exchange.calculate_rate_limiter_cost(api, method, path, params, config)
        async with self.pacer.turn(cost, self.user):
            return await exchange.fetch2(path, api, method, params, config)

    async def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        exchange: Any = super()
        answer = Answer()
        token = _ANSWER.set(answer)
        try:
            said = await exchange.fetch(url, method, headers, body)
        except Exception as error:  # marked with the answer it came from, and raised again
            if answer.status_code:
                error.response = answer  # type: ignore[attr-defined]
            raise
        finally:
            _ANSWER.reset(token)
            if answer.status_code:
                self.pacer.answered(answer.status_code, answer.headers, self.user)
        if not isinstance(said, dict | list):
            raise error_classes().BadResponse(say("venue.detail.not_json", start=str(said)[:80]))
        return said

    def on_rest_response(self, code: int, reason: str, url: str, method: str, headers: Any, *rest: Any) -> Any:
        exchange: Any = super()
        answer = _ANSWER.get()
        answer.status_code, answer.headers = code, headers
        return exchange.on_rest_response(code, reason, url, method, headers, *rest)

    def milliseconds(self) -> int:
        return self.clock.ours_ms() + self.clock.ahead_ms

    def seconds(self) -> int:
        return self.milliseconds() // 1000

    def nonce(self) -> int:
        # never twice the same for one key, and never smaller, where the venue insists on it
        exchange: Any = super()
        last = self.nonces.get(self.user, 0)
        fresh = max(self.milliseconds(), last + 1) if self.counts_up else int(exchange.nonce())
        self.nonces[self.user] = fresh
        return fresh

    def currency_to_precision(self, code: str, fee: Any, network: Any = None) -> str:
        # ccxt's own rounds fees, and fails for a currency that it has not loaded
        return str(fee)

    def parse_order_book_bid_ask(self, row: Any, price: Any = 0, amount: Any = 1, *_: Any) -> list[str]:
        # ccxt makes floats of them; whoever reads this sorts by the numbers, for ccxt then sorts texts
        exchange: Any = super()
        return [exchange.safe_string(row, price), exchange.safe_string(row, amount)]

    def client(self, url: str) -> Any:
        exchange: Any = super()
        client = exchange.client(url)
        if not hasattr(client, "sent"):
            _count_messages(client, self.pushes() if self.pushes else lambda message: (message,))
            _hold_results(client)
        return client

    def __del__(self) -> None:
        """Say nothing: whoever opened the session closes it."""


def _count_messages(client: Any, unpack: Unpack) -> None:
    """Let ``client`` know how many messages it sent, and how many came since: a subscription stands once answered.

    ``unpack`` gives what ccxt shall read of each.
    """
    send, received = client.send, client.on_message_callback
    client.sent = client.received = 0

    async def sending(message: Any) -> None:
        client.sent += 1
        await send(message)

    def receiving(of: Any, message: Any) -> None:
        try:
            for part in unpack(message):
                client.received += 1
                received(of, part)
        except Exception as error:  # noqa: BLE001 (it would end ccxt's reading without a word: whoever waits must know)
            client.on_error(error_classes().BadResponse(f"{type(error).__name__}: {error}"))

    client.send, client.on_message_callback = sending, receiving


def _hold_results(client: Any) -> None:
    """Let ``client`` keep what comes while nobody waits for it, for whoever waits next: ccxt would drop it."""
    future, resolve = client.future, client.resolve
    waited_for: set[str] = set()
    missed: dict[str, Any] = {}

    def waiting(name: str) -> Any:
        made = future(name)
        waited_for.add(name)
        if name in missed:
            resolve(missed.pop(name), name)
        return made

    def resolving(result: Any, name: str) -> Any:
        if name in waited_for and name not in client.futures:
            missed[name] = result
        return resolve(result, name)

    client.future, client.resolve = waiting, resolving
