"""An exchange in a box, and a plain client of it that signs."""

import hashlib
import hmac
import http.client
import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit

from cambist.domain.instrument import Instrument
from cambist.domain.timeframe import MINUTE_MS
from cambist.market.synthetic import synthetic_market
from cambist.simulators.binance import BinanceSimulator, Customer

START = 1_704_067_200_000
NOW = START + 300 * MINUTE_MS
CANDLES = synthetic_market(("BTC/USDT",), start_ms=START, count=600, timeframe="1m", seed=5)["BTC/USDT"]
RULES = Instrument(
    venue="binance",
    symbol="BTC/USDT",
    tick_size=Decimal("0.01"),
    lot_step=Decimal("0.00001"),
    min_notional=Decimal(5),
    min_quantity=Decimal("0.00001"),
)
HELD = {"USDT": Decimal(100_000), "BTC": Decimal(2)}
ALICE = Customer(key="k", secret="s", balances=HELD, name="alice")


def box(**more: Any) -> BinanceSimulator:
    return BinanceSimulator(CANDLES, instruments=[RULES], customers=[ALICE], **({"now_ms": NOW} | more))


class Refusal(Exception):
    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str]) -> None:
        super().__init__(status, body)
        self.status, self.code, self.message, self.headers = status, body.get("code"), body.get("msg"), headers


def ask(
    server: BinanceSimulator,
    name: str,
    *,
    secret: str = "s",
    key: str | None = "k",
    patience_s: Any = 10,
    **params: Any,
) -> Any:
    """Ask ``POST order`` or the like, signed; raise `Refusal`, or what http.client raises of a broken connection."""
    method, path = name.split()
    if secret:
        params.setdefault("timestamp", server.now_ms)
    query = urlencode({name: value for name, value in params.items() if value is not None})
    if secret:
        query += "&signature=" + hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=patience_s)
    try:
        connection.request(method, f"/api/v3/{path}?{query}", headers={"X-MBX-APIKEY": key} if key else {})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        if answer.status != 200:
            raise Refusal(answer.status, body, dict(answer.headers))
        return body
    finally:
        connection.close()


def order(server: BinanceSimulator, side: str, kind: str, quantity: str | None = "0.01", **terms: Any) -> Any:
    """Place an order on BTCUSDT."""
    if kind in ("LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"):
        terms.setdefault("timeInForce", "GTC")
    return ask(server, "POST order", symbol="BTCUSDT", side=side, type=kind, quantity=quantity, **terms)


def price(server: BinanceSimulator, factor: str = "1") -> str:
    """Return the last price times ``factor``, on the tick."""
    return f"{server.exchange.price('BTC/USDT') * Decimal(factor):.2f}"
