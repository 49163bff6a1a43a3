"""One row per exchange: all that differs between them when orders are placed. Nothing of it stands in code elsewhere.

Why not lean on ccxt's unified calls alone? Because they are not: for Coinbase ccxt drops ``clientOrderId`` and makes up
an id of its own; for Kraken ``triggerPrice`` becomes a market order that fills at once; an OKX stop is found under
another id than it was given. Each row is held to what goes over the wire by ``tests/unit/ccxt/test_ccxt_quirks.py``.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

from cambist.adapters.venues.ccxt.kraken_pushes import Pushes, mended
from cambist.adapters.venues.ccxt.mends import binance_pushed, bitget_mended, okx_mended, okx_went_on_as
from cambist.domain.errors import VenueRefused
from cambist.domain.order import OrderType, Side
from cambist.domain.record import record
from cambist.market.budget import Limit, Returns
from cambist.ports.venue import OrderRequest, Traits

Pairs = tuple[tuple[str, Any], ...]
Call = tuple[str, dict[str, Any]]
"""A method of ccxt's implicit interface, and what to give it."""

ID = "{client_id}"


class TryOut(Enum):
    """How one trades there without money."""

    SANDBOX = "other addresses"
    HEADER = "the same addresses, a header"
    NONE = "not at all"


class Scope(Enum):
    """Whom a limit counts."""

    ADDRESS = "ip"
    KEY = "key"


class Counts(Enum):
    """What a limit counts."""

    COST = "cost"
    """What ccxt's tables say that a request costs, times ``Pace.per_cost``."""
    ORDERS = "orders"
    FLIGHTS = "flights"
    """Requests that are on their way."""


@record(kw_only=True)
class Pace:
    """One of a venue's limits, and the headers in which it tells how much of it is used or left."""

    name: str
    scope: Scope
    counts: Counts
    limit: Limit
    per_cost: Decimal = Decimal(1)
    used_header: str = ""
    left_header: str = ""


@record(kw_only=True)
class Stop:
    """How a stop or a take-profit rests at the venue."""

    loss: str
    """ccxt's parameter for the trigger of a stop."""
    profit: str
    limit_slack: Decimal | None = None
    """Only stop-limits rest there: how far beyond the trigger the limit lies, as a share of it."""
    params: Pairs = ()


@record(kw_only=True)
class Pages:
    """How a long list of fills is asked for."""

    size: int
    """A page of so many may be followed by another."""
    newest_first: bool = True
    window_ms: int | None = None
    """The longest span that one request may cover."""
    by_symbol: bool = True
    """False: the venue mixes the symbols in one list, and a page is full or not before they are told apart."""
    sends_size: bool = True
    newest_of_all: bool = False
    """Asked without times, the venue gives the newest fills, however old: often that is all there is to ask."""
    history_ms: int | None = None
    """The venue remembers no longer than this."""
    lead_ms: int = 0
    """How much earlier to ask: the venue leaves out what happened at the very time asked for, or in its second."""


@record(kw_only=True)
class Quirks:
    """One exchange."""

    id: str
    needs: tuple[str, ...] = ("api_key", "secret")
    testnet: TryOut = TryOut.SANDBOX
    client_id: tuple[str, ...] = ("clientOrderId",)
    """Under which parameters ccxt passes our order id on, so that it invents none."""
    with_orders: Pairs = ()
    """What is said with every order."""
    stop: Stop | None = None
    oco: Callable[[str, str, OrderRequest, OrderRequest], Call] | None = None
    amend: Callable[[str, str, str], Call] | None = None
    """(the venue's symbol, client id, trigger) to the call that moves a trigger and keeps the order's id."""
    receive_window_ms: int = 5_000
    options: Pairs = ()
    ask: tuple[tuple[str, Pairs], ...] = (("fetch_order", (("clientOrderId", ID),)),)
    """How one order is asked for by its client id: ccxt's methods in turn, until one knows it."""
    cancel: tuple[Pairs, ...] = ((("clientOrderId", ID),),)
    """Empty: only by the venue's own id, which is asked for first."""
    open_orders: tuple[Pairs, ...] = ((),)
    cheaper_by_symbol: bool = False
    """Open orders of a few symbols cost less than those of all."""
    balances: Pairs = ()
    cancel_tells: bool = False
    """The answer to a cancellation states the order whole; else it is asked for again."""
    market_buys: bool = True
    """A market order can buy a quantity; else it goes as a limit that is dropped if it does not fill at once."""
    fills: Pages
    fee_asset_told: bool = True
    """False: fees are in quote currency, whatever ccxt guesses."""
    fee_asset_field: str = ""
    """The raw field that names the fee's currency where ccxt guesses it by a rule."""
    gain_field: str = ""
    """The raw field of a fill that says what the account gains by its fee, where ccxt takes that for the fee."""
    other_ids: tuple[str, ...] = ()
    """Fields of the raw message that hold our id where ``clientOrderId`` does not (of fills)."""
    streams: tuple[str, ...] = ("watchOrders", "watchMyTrades", "watchBalance")
    pushes: Callable[[], Callable[[Any], Iterable[Any]]] | None = None
    """Makes for each connection what turns the venue's messages into those that ccxt reads right."""
    mended: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    """Puts right what ccxt's parser makes of an order."""
    went_on_as: Callable[[Mapping[str, Any]], str] | None = None
    """Gives the venue's id of the order that a stop (its raw message) became when it triggered; empty if it did not."""
    errors: Pairs = ()
    """By words of the venue: the class of ccxt's that they mean, where ccxt knows none or another."""
    nonces_count_up: bool = False
    """Each request of a key must carry a greater nonce than the last."""
    ask_by_venue_id: Pairs = ()
    asked_at_once: int = 1
    """How many orders may be asked for by the venue's own ids in one request."""
    open_page: int | None = None
    """The venue states no more open orders than this at once: a list so long may be cut."""
    paces: tuple[Pace, ...] = ()

    def traits(self) -> Traits:
        """Return what the venue can do for us by itself."""
        return Traits(
            stops=self.stop is not None,
            oco=self.oco is not None,
            amend=self.amend is not None,
            receive_window_ms=self.receive_window_ms,
        )


def filled_in(pairs: Pairs, client_id: str) -> dict[str, Any]:
    """Return ``pairs`` as parameters for one order."""
    return {name: client_id if value == ID else value for name, value in pairs}


def quirks_of(exchange: str, has: Mapping[str, Any], rate_limit_ms: float) -> Quirks:
    """Return the row of ``exchange``; for one without, the most careful that its ccxt class allows.

    Raises `VenueRefused` where orders cannot be found again by our own id: we could not tell what became of one.
    """
    if exchange in QUIRKS:
        return QUIRKS[exchange]
    missing = [name for name in ("createOrder", "cancelOrder", "fetchOpenOrders", "fetchMyTrades") if not has.get(name)]
    if missing:
        raise VenueRefused("venue.untradable", venue=exchange, missing=", ".join(missing))
    searched = [
        (method, ())
        for method, name in (
            ("fetch_open_orders", "fetchOpenOrders"),
            ("fetch_orders", "fetchOrders"),
            ("fetch_closed_orders", "fetchClosedOrders"),
        )
        if has.get(name) is True
    ]
    return Quirks(
        id=exchange,
        testnet=TryOut.SANDBOX if has.get("sandbox") else TryOut.NONE,
        ask=tuple(searched),
        cancel=(),
        fills=Pages(size=100),
        streams=tuple(name for name in ("watchOrders", "watchMyTrades", "watchBalance") if has.get(name) is True),
        paces=(_steady(rate_limit_ms), _FLIGHTS),
    )


def _steady(rate_limit_ms: float, scope: Scope = Scope.ADDRESS, left_header: str = "") -> Pace:
    """Return the pace that ccxt's ``rateLimit`` means: a cost of one per so many ms, one second's worth at once."""
    capacity = max(1_000, round(1_000 / rate_limit_ms * 1_000))
    limit = Limit(
        capacity=capacity, per_ms=max(1_000, round(rate_limit_ms)), returns=Returns.STEADILY, reserve=capacity // 5
    )
    return Pace(
        name="pace", scope=scope, counts=Counts.COST, limit=limit, per_cost=Decimal(1_000), left_header=left_header
    )


def _binance_oco(symbol: str, list_id: str, stop: OrderRequest, target: OrderRequest) -> Call:
    """Return the call of ``orderList/oco``: the leg whose price is higher is called above."""
    params: dict[str, Any] = {
        "symbol": symbol,
        "listClientOrderId": list_id,
        "side": stop.side.upper(),
        "quantity": f"{stop.quantity:f}",
        "newOrderRespType": "FULL",
    }
    above, below = (target, stop) if stop.side is Side.SELL else (stop, target)
    for place, leg in (("above", above), ("below", below)):
        params[f"{place}ClientOrderId"] = leg.client_id
        if leg.type is OrderType.LIMIT:
            params |= {f"{place}Type": "LIMIT_MAKER", f"{place}Price": f"{leg.price:f}"}
        else:
            kind = "STOP_LOSS" if leg.type is OrderType.STOP else "TAKE_PROFIT"
            params |= {f"{place}Type": kind, f"{place}StopPrice": f"{leg.trigger:f}"}
    return "privatePostOrderListOco", params


def _kraken_amend(_symbol: str, client_id: str, trigger: str) -> Call:
    return "privatePostAmendOrder", {"cl_ord_id": client_id, "trigger_price": trigger}


def _bybit_amend(symbol: str, client_id: str, trigger: str) -> Call:
    return "privatePostV5OrderAmend", {
        "category": "spot",
        "symbol": symbol,
        "orderLinkId": client_id,
        "triggerPrice": trigger,
    }


_DAY_MS = 86_400_000
_FLIGHTS = Pace(
    name="flights",
    scope=Scope.ADDRESS,
    counts=Counts.FLIGHTS,
    limit=Limit(capacity=48, returns=Returns.WHEN_DONE, reserve=16),
)

QUIRKS: dict[str, Quirks] = {
    row.id: row
    for row in (
        Quirks(
            id="binance",
            stop=Stop(loss="stopLossPrice", profit="takeProfitPrice"),
            oco=_binance_oco,
            options=(
                ("recvWindow", 5_000),
                ("fetchOpenOrders", {"warnWithoutSymbol": False}),
                ("warnOnFetchOpenOrdersWithoutSymbol", False),
            ),
            cheaper_by_symbol=True,
            cancel_tells=True,
            other_ids=("c",),
            pushes=lambda: binance_pushed,
            fills=Pages(size=1_000, newest_first=False, window_ms=_DAY_MS, newest_of_all=True),
            paces=(
                Pace(
                    name="weight-1m",
                    scope=Scope.ADDRESS,
                    counts=Counts.COST,
                    per_cost=Decimal(5),  # ccxt counts a weight of one as 0.2
                    limit=Limit(capacity=6_000, per_ms=60_000, reserve=600),
                    used_header="X-MBX-USED-WEIGHT-1M",
                ),
                Pace(
                    name="orders-10s",
                    scope=Scope.KEY,
                    counts=Counts.ORDERS,
                    limit=Limit(capacity=100, per_ms=10_000, reserve=10),
                    used_header="X-MBX-ORDER-COUNT-10S",
                ),
                Pace(
                    name="orders-1d",
                    scope=Scope.KEY,
                    counts=Counts.ORDERS,
                    limit=Limit(capacity=200_000, per_ms=_DAY_MS, reserve=1_000),
                    used_header="X-MBX-ORDER-COUNT-1D",
                ),
                _FLIGHTS,
            ),
        ),
        Quirks(
            id="kraken",
            testnet=TryOut.NONE,
            client_id=("cl_ord_id",),
            with_orders=(("oflags", "fciq"),),  # fees in quote currency, where REST states them
            stop=Stop(loss="stopLossPrice", profit="takeProfitPrice"),
            amend=_kraken_amend,
            pushes=Pushes,
            mended=mended,
            errors=(
                ("EOrder:Unknown order", "OrderNotFound"),
                ("cl_ord_id", "DuplicateOrderId"),  # whatever is said of our id: such an order may exist
                ("EOrder:", "InvalidOrder"),
                ("EGeneral:Invalid arguments", "InvalidOrder"),
                ("EQuery:Unknown asset pair", "BadSymbol"),
                ("EAPI:Invalid signature", "AuthenticationError"),
            ),
            # ccxt's fetch_order asks by "userref", a number of another kind
            ask=(
                ("fetch_open_orders", (("cl_ord_id", ID),)),
                ("fetch_closed_orders", (("cl_ord_id", ID),)),
            ),
            cancel=((("cl_ord_id", ID),),),
            asked_at_once=20,
            fills=Pages(size=50, by_symbol=False, sends_size=False, lead_ms=1_000),
            nonces_count_up=True,
            paces=(
                Pace(
                    name="counter",  # 15 for the smallest accounts, one comes back every 3 s; ccxt counts it as 3
                    scope=Scope.KEY,
                    counts=Counts.COST,
                    per_cost=Decimal(1_000) / 3,
                    limit=Limit(capacity=15_000, per_ms=45_000, returns=Returns.STEADILY, reserve=3_000),
                ),
                Pace(
                    name="flights",  # nonces must arrive in the order in which they were made
                    scope=Scope.KEY,
                    counts=Counts.FLIGHTS,
                    limit=Limit(capacity=1, returns=Returns.WHEN_DONE),
                ),
            ),
        ),
        Quirks(
            id="coinbase",
            testnet=TryOut.NONE,
            client_id=("client_order_id",),
            stop=Stop(loss="stopLossPrice", profit="takeProfitPrice", limit_slack=Decimal("0.05")),
            ask=(("fetch_orders", ()),),
            cancel=(),
            balances=(("v3", True),),
            market_buys=False,
            fills=Pages(size=100),
            fee_asset_told=False,
            open_page=100,
            streams=("watchOrders",),
            paces=(_steady(34, Scope.KEY, "X-RateLimit-Remaining"), _FLIGHTS),
        ),
        Quirks(
            id="bybit",
            stop=Stop(loss="triggerPrice", profit="triggerPrice"),
            amend=_bybit_amend,
            options=(
                ("recvWindow", 5_000),
                # unified accounts, the only kind that still opens: spares two questions before the first order
                ("enableUnifiedMargin", False),
                ("enableUnifiedAccount", True),
                ("unifiedMarginStatus", 5),
            ),
            ask=(
                ("fetch_open_orders", (("orderLinkId", ID),)),
                ("fetch_canceled_and_closed_orders", (("orderLinkId", ID),)),
            ),
            cancel=((("orderLinkId", ID),), (("orderLinkId", ID), ("trigger", True))),
            fills=Pages(size=100, window_ms=7 * _DAY_MS, history_ms=730 * _DAY_MS),
            ask_by_venue_id=(("acknowledged", True),),
            fee_asset_field="feeCurrency",
            open_orders=((("limit", 50),),),
            open_page=50,
            paces=(_steady(20, Scope.ADDRESS, "X-Bapi-Limit-Status"), _FLIGHTS),
        ),
        Quirks(
            id="bitget",
            needs=("api_key", "secret", "password"),
            testnet=TryOut.HEADER,
            # its plan orders go on under another id once triggered, which nothing ties to ours: stops stay with us
            options=(("uta", False),),
            mended=bitget_mended,
            market_buys=False,
            fills=Pages(size=100, window_ms=90 * _DAY_MS, history_ms=90 * _DAY_MS),
            open_page=100,
            paces=(_steady(50, Scope.KEY, "x-mbx-used-remain-limit"), _FLIGHTS),
        ),
        Quirks(
            id="okx",
            needs=("api_key", "secret", "password"),
            testnet=TryOut.HEADER,
            stop=Stop(loss="triggerPrice", profit="triggerPrice", params=(("algoClOrdId", ID),)),
            ask=(
                ("fetch_order", (("clOrdId", ID),)),
                ("fetch_order", (("clientOrderId", ID), ("trigger", True))),
            ),
            cancel=((("clOrdId", ID),), (("clientOrderId", ID), ("trigger", True))),
            open_orders=((), (("trigger", True), ("ordType", "trigger"))),
            fills=Pages(size=100, window_ms=90 * _DAY_MS, history_ms=90 * _DAY_MS),
            # else all that is traded there by hand comes too, and ccxt breaks off at a symbol that it has not loaded
            options=(("watchOrders", {"type": "SPOT"}), ("watchMyTrades", {"type": "SPOT"})),
            gain_field="fillFee",
            mended=okx_mended,
            went_on_as=okx_went_on_as,
            open_page=100,
            paces=(_steady(110, Scope.KEY), _FLIGHTS),
        ),
    )
}
