"""Orders by hand: a person's own, on what the account holds free. No bot decides on them, and none protects them.

They are judged, journaled and followed like any order; each belongs to a seat of its symbol that holds no position of
its own, and its fills move the account's free holdings. A request is acted on once, whatever number of times it comes.
"""

from dataclasses import replace
from decimal import Decimal

from cambist.domain.account import HAND, BotSpec, BotStatus
from cambist.domain.alert import Level
from cambist.domain.command import Place
from cambist.domain.event import HandAmended, HandCancelled, HandOrdered
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.order import Order, OrderType, Role, Side
from cambist.domain.position import FLAT, ZERO
from cambist.domain.refusal import Reason, Refused
from cambist.domain.report import FillReport
from cambist.domain.request import OrderRequest
from cambist.domain.timeframe import Timeframe
from cambist.engine.account import RETRY_MS, Account, Amendment, Outcome, Seat, Touched
from cambist.engine.sending import DEFAULT_FEE_BPS, ROOM_BPS, alert, booked, cancel, send, situation, tell_refused
from cambist.engine.state import Bot, State
from cambist.execution.ids import client_id
from cambist.execution.limits import Situation
from cambist.execution.orders import Life, Working
from cambist.execution.protection import RESTING
from cambist.execution.risk import judge
from cambist.portfolio import ledger as book


def seat_id(symbol: str) -> str:
    """Return the id of the seat of ``symbol``'s orders by hand: one that no person can give to a bot."""
    return f"{HAND}:{symbol}"


def ordered(account: Account, event: HandOrdered, out: Outcome) -> Touched:
    """A person orders: the order leaves if it may."""
    seat = _seat(account, event.instrument)
    if not account.first(event.request):
        return event.ts, ()
    order = Order(
        id=f"{seat.spec.id}|{event.request}",
        bot=seat.spec.id,
        side=event.side,
        type=event.type,
        quantity=event.quantity,
        role=Role.EXIT if _only_reduces(event) else Role.ENTRY,
        price=event.price,
        trigger=event.trigger,
        time_in_force=event.time_in_force,
    )
    _place(account, seat, order, event.ts, out)
    return event.ts, (seat,)


def _only_reduces(event: HandOrdered) -> bool:
    """Tell whether an order can only make smaller what is held, so that no limit on entries applies to it.

    On a spot market that is every sale, for nobody sells what is not there, and no purchase, whatever is said of it:
    only a perpetual's venue holds an order to what it was said to reduce.
    """
    return event.reduce_only if event.instrument.kind is Kind.PERPETUAL else event.side is Side.SELL


def cancelled(account: Account, event: HandCancelled, out: Outcome) -> Touched:
    """A person takes an order by hand back."""
    seat, one = _of(account, event.client_id)
    if seat is None or one is None or not account.first(event.request):
        return event.ts, ()
    seat.amended.pop(event.client_id, None)
    if not one.ended:
        take_back(account, seat, one, event.ts, out)
    return event.ts, (seat,)


def take_back(account: Account, seat: Seat, one: Working, ts: int, out: Outcome) -> None:
    """Cancel an order by hand; `settle` asks again until it is over."""
    if one.request.client_id not in seat.leaving:
        seat.leaving.append(one.request.client_id)
    cancel(account, one, ts, out)


def amended(account: Account, event: HandAmended, out: Outcome) -> Touched:
    """A person wants an order by hand otherwise: it is taken back, and what is then left of it is ordered anew."""
    seat, one = _of(account, event.client_id)
    if seat is None or one is None or not account.first(event.request) or one.ended:
        return event.ts, ()
    seat.amended[event.client_id] = Amendment(event.request, event.quantity, event.price, event.trigger)
    cancel(account, one, event.ts, out)
    return event.ts, (seat,)


def filled(account: Account, seat: Seat, one: Working, fill: FillReport, out: Outcome) -> None:
    """Book an execution of an order by hand."""
    instrument = seat.bot.instrument
    booked(account, book.fill(book.FREE, fill, instrument), out)
    if instrument.kind is Kind.PERPETUAL:
        net = account.contracts.get(fill.symbol, FLAT)
        account.contracts[fill.symbol] = net.traded(fill.side.sign * fill.quantity, fill.price)
    one.told = one.life is Life.FILLED
    account.prices[fill.symbol] = (fill.price, fill.ts)


def settle(account: Account, seat: Seat, ts: int, out: Outcome) -> None:
    """Let go of orders that are over, order anew those that were amended, and cancel again what still stands."""
    standing = []
    for one in account.under_way(seat.spec.id):
        name = one.request.client_id
        if not one.settled:
            if one.life in RESTING and (name in seat.leaving or name in seat.amended):
                standing.append(one)
            continue
        account.leave(one)
        one.told = True
        if name in seat.leaving:
            seat.leaving.remove(name)
        wanted = seat.amended.pop(name, None)
        if wanted is None or one.life is not Life.CANCELLED:
            continue
        left = wanted.quantity - one.filled
        if left > 0:
            name = f"{seat.spec.id}|{wanted.request}"
            order = replace(one.order, id=name, quantity=left, price=wanted.price, trigger=wanted.trigger)
            _place(account, seat, order, ts, out)
    if standing and not seat.again_ms:
        seat.again_ms = ts + RETRY_MS
    elif not standing or ts >= seat.again_ms:
        seat.again_ms = 0
        for one in standing:
            cancel(account, one, ts, out)


def spendable(account: Account, asset: str) -> Decimal:
    """Return what the account holds of ``asset`` that no bot has and no order by hand waits for."""
    free = account.ledger.balance(book.FREE, asset)
    for seat in account.seats.values():
        if seat.by_hand and asset in (seat.bot.instrument.quote, seat.bot.instrument.base):
            free -= sum((_reserved(account, seat, one, asset) for one in account.working(seat.spec.id)), ZERO)
    return free


def _reserved(account: Account, seat: Seat, one: Working, asset: str) -> Decimal:
    instrument = seat.bot.instrument
    if one.order.side is Side.BUY:
        return one.left * _cost(account, seat, one.order) if asset == instrument.quote else ZERO
    return one.left if asset == book.held_asset(instrument) else ZERO


def _cost(account: Account, seat: Seat, order: Order) -> Decimal:
    """Return what one unit may cost, fee included, and for a market order some slippage."""
    instrument = seat.bot.instrument
    bps = DEFAULT_FEE_BPS if instrument.taker_fee_bps is None else instrument.taker_fee_bps
    if order.type is not OrderType.LIMIT:
        bps += ROOM_BPS
    return _price(account, seat, order) * (1 + bps / 10_000)


def _price(account: Account, seat: Seat, order: Order) -> Decimal:
    return order.price or order.trigger or account.price_of(seat)


def _place(account: Account, seat: Seat, order: Order, ts: int, out: Outcome) -> None:
    instrument = seat.bot.instrument
    price = _price(account, seat, order)
    reason = (
        Reason.STALE_PRICE
        if price <= 0
        else judge(order, instrument, price, account.limits, _now(account, seat, order, ts))
    )
    if reason is None and order.side is Side.SELL and instrument.kind is not Kind.PERPETUAL:
        reason = Reason.NO_HOLDING if order.quantity > spendable(account, instrument.base) else None
    if reason is not None:
        refused = Refused(seat.spec.id, ts, reason)
        seat.state.refused.append(refused)
        tell_refused(account, refused, out)
        return
    request = OrderRequest(
        client_id=client_id(order.id, instrument.symbol),
        symbol=instrument.symbol,
        side=order.side,
        type=order.type,
        quantity=order.quantity,
        price=order.price,
        trigger=order.trigger,
        time_in_force=order.time_in_force,
        reduce_only=order.reduces,
    )
    send(account, Working(order, request), ts, out)
    out.commands.append(Place(request))


def _now(account: Account, seat: Seat, order: Order, ts: int) -> Situation:
    """Return the situation for an order by hand: it is paid for from the account's free cash, to the last unit."""
    free = spendable(account, seat.bot.instrument.quote)
    if order.side is Side.BUY:  # what it may cost beyond its notional counts against the cash
        free -= order.quantity * (_cost(account, seat, order) - _price(account, seat, order))
    return replace(situation(account, seat, order, ts), free_cash=free, cash_binds=True)


def _of(account: Account, name: str) -> tuple[Seat | None, Working | None]:
    """Return the order by hand of this client id, with its seat."""
    one = account.orders.get(name)
    seat = None if one is None else account.seats.get(one.order.bot)
    return (seat, one) if seat is not None and seat.by_hand else (None, None)


def _seat(account: Account, instrument: Instrument) -> Seat:
    name = seat_id(instrument.symbol)
    if name not in account.seats:
        spec = BotSpec(
            id=name,
            user_id=account.spec.user_id,
            account=account.spec.id,
            strategy=HAND,
            params={},
            symbol=instrument.symbol,
            timeframe=Timeframe.M1,
            budget=ZERO,
        )
        account.seats[name] = Seat(spec, State(ZERO, {name: Bot(name, instrument)}), BotStatus.RUNNING)
    return account.seats[name]


def went_wrong(account: Account, seat: Seat, one: Working, ts: int, out: Outcome) -> None:
    """Tell the person what the venue made of an order by hand that it neither filled nor was asked to cancel."""
    key = "trading.hand_refused" if one.life is Life.REFUSED else "trading.hand_ended"
    seat.amended.pop(one.request.client_id, None)
    alert(account, out, ts, Level.WARNING, key, order=one.request.client_id, symbol=one.request.symbol, why=one.reason)
