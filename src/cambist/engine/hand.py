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
from cambist.domain.order import Order, OrderType, Role, Side, TimeInForce
from cambist.domain.position import FLAT, ZERO
from cambist.domain.refusal import Reason
from cambist.domain.report import FillReport
from cambist.domain.request import OrderRequest
from cambist.domain.timeframe import Timeframe
from cambist.engine.account import RETRY_MS, Account, Amendment, Outcome, Seat, Touched
from cambist.engine.sending import DEFAULT_FEE_BPS, ROOM_BPS, alert, booked, cancel, refuse, send, situation
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
        role=Role.EXIT if _only_reduces(account, seat, event) else Role.ENTRY,
        price=event.price,
        trigger=event.trigger,
        time_in_force=event.time_in_force,
    )
    _place(account, seat, order, event.ts, out)
    return event.ts, (seat,)


def _only_reduces(account: Account, seat: Seat, event: HandOrdered) -> bool:
    """Tell whether an order can only make smaller what is held, so that no limit on entries applies to it.

    On a spot market that is every sale, for nobody sells what is not there, and no purchase, whatever is said of it:
    only a perpetual's venue holds an order to what it was said to reduce.
    """
    if event.instrument.kind is not Kind.PERPETUAL:
        return event.side is Side.SELL
    return event.reduce_only or event.quantity <= _closable(account, seat, event.side)


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
    """A person wants an order by hand otherwise: it is taken back, and what is then left of it is ordered anew.

    It stays as it is if that would be refused.
    """
    seat, one = _of(account, event.client_id)
    if seat is None or one is None or not account.first(event.request) or one.ended:
        return event.ts, ()
    left = event.quantity - one.filled
    wanted = replace(one.order, quantity=left, price=event.price, trigger=event.trigger)
    reason = _refusal(account, seat, wanted, event.ts) if left > 0 else None
    if reason is not None:
        refuse(account, seat, reason, event.ts, out)
        return event.ts, (seat,)
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
    else:
        fee = fill.fee if fill.fee_asset == instrument.base else ZERO
        seat.bought = max(ZERO, seat.bought + fill.side.sign * fill.quantity - fee)
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


def spendable(account: Account, asset: str, without: str = "") -> Decimal:
    """Return what the account holds of ``asset`` that no bot has and no order by hand (but this) waits for."""
    free = account.ledger.balance(book.FREE, asset)
    return free - sum((_bound(account, seat, asset, without) for seat in account.seats.values() if seat.by_hand), ZERO)


def _bound(account: Account, seat: Seat, asset: str, without: str) -> Decimal:
    """Return what of ``asset`` the orders by hand of one symbol wait for, the one of this id left out.

    What shorts of a perpetual brought in is bound too, and as much again as their margin, as for bots
    (`cambist.engine.state.State.free_cash`).
    """
    instrument = seat.bot.instrument
    working = [one for one in account.working(seat.spec.id) if one.order.id != without]
    if asset == book.held_asset(instrument):
        return sum((one.left for one in working if one.order.side is Side.SELL), ZERO)
    if asset != instrument.quote:
        return ZERO
    if instrument.kind is not Kind.PERPETUAL:
        return sum((one.left * _cost(account, seat, one.order) for one in working if one.order.side is Side.BUY), ZERO)
    held, price = account.held(seat), max(account.price_of(seat), Decimal(repr(seat.bot.mark)))
    bound = 2 * max(ZERO, -held) * price
    for side in Side:
        mine = [one for one in working if one.order.side is side]
        reducing = sum((one.left for one in mine if one.order.reduces), ZERO)
        closing = max(ZERO, -held * side.sign - reducing)
        cost = sum((one.left * _cost(account, seat, one.order) for one in mine if not one.order.reduces), ZERO)
        bound += max(ZERO, cost - closing * price)
    return bound


def _cost(account: Account, seat: Seat, order: Order) -> Decimal:
    """Return what one unit may cost, fee included, and for a market order some slippage."""
    instrument = seat.bot.instrument
    bps = DEFAULT_FEE_BPS if instrument.taker_fee_bps is None else instrument.taker_fee_bps
    if order.type is not OrderType.LIMIT:
        bps += ROOM_BPS
    return account.valued_at(seat, order) * (1 + bps / 10_000)


def _place(account: Account, seat: Seat, order: Order, ts: int, out: Outcome) -> None:
    instrument = seat.bot.instrument
    left = client_id(order.id, instrument.symbol) in account.already_sent
    reason = None if left else _refusal(account, seat, order, ts)
    if reason is not None:
        refuse(account, seat, reason, ts, out)
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
        cost_limit=None if order.reduces else _means(account, seat, order),
    )
    send(account, Working(order, request), ts, out)
    out.commands.append(Place(request))


def _refusal(account: Account, seat: Seat, order: Order, ts: int) -> Reason | None:
    """Tell why ``order`` may not leave, in the place of the one of its id if that stands; None if it may."""
    price, instrument = account.valued_at(seat, order), seat.bot.instrument
    if price <= 0:
        return Reason.STALE_PRICE
    reason = judge(order, instrument, price, account.limits, _now(account, seat, order, ts))
    if reason is None and order.reduces and order.quantity > _reducible(account, seat, order):
        reason = Reason.NO_HOLDING
    return reason


def _now(account: Account, seat: Seat, order: Order, ts: int) -> Situation:
    """Return the situation for an order by hand: it is paid for from the account's free cash, to the last unit."""
    # what it may cost beyond its notional counts against the cash
    beyond = order.quantity * (_cost(account, seat, order) - account.valued_at(seat, order))
    now, opens = situation(account, seat, order, ts), order.quantity > _closing(account, seat, order)
    free = _means(account, seat, order) - beyond
    return replace(now, opposed=now.opposed and opens, free_cash=free, cash_binds=True)


def _means(account: Account, seat: Seat, order: Order) -> Decimal:
    """Return what an order may cost: the free cash, and of a perpetual the margin that it sets free."""
    free = spendable(account, seat.bot.instrument.quote, order.id)
    return free + _closing(account, seat, order) * account.valued_at(seat, order)


def _closing(account: Account, seat: Seat, order: Order) -> Decimal:
    """Return how much of ``order`` closes what people hold by hand of a perpetual."""
    if seat.bot.instrument.kind is not Kind.PERPETUAL:
        return ZERO
    return min(order.quantity, _closable(account, seat, order.side, order.id))


def _reducible(account: Account, seat: Seat, order: Order) -> Decimal:
    """Return how much ``order`` may reduce: what is free, or of a perpetual what orders by hand have brought."""
    instrument = seat.bot.instrument
    if instrument.kind is Kind.PERPETUAL:
        return _closable(account, seat, order.side, order.id)
    return spendable(account, instrument.base, order.id)


def _closable(account: Account, seat: Seat, side: Side, without: str = "") -> Decimal:
    """Return what of a perpetual people hold by hand that ``side`` closes, and no order (but this) waits to close."""
    others = (one for one in account.working(seat.spec.id) if one.order.side is side and one.order.id != without)
    return max(ZERO, account.held(seat) * -side.sign - sum((one.left for one in others), ZERO))


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
    asked_for = one.life is not Life.REFUSED and one.order.time_in_force is TimeInForce.IOC
    level = Level.INFO if asked_for else Level.WARNING
    alert(account, out, ts, level, key, order=one.request.client_id, symbol=one.request.symbol, why=one.reason)
