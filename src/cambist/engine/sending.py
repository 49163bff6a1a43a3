"""Orders out: what the core asks for becomes requests to the venue, judged first, and known before they leave."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from cambist.domain.alert import Alert, Level
from cambist.domain.command import Place, SubmitOrder, TakeBackOrder
from cambist.domain.ledger import LedgerEntry
from cambist.domain.order import Order, Role
from cambist.domain.position import ZERO
from cambist.domain.refusal import Reason, Refused
from cambist.domain.request import OrderRequest
from cambist.engine.account import Account, Outcome, Seat
from cambist.execution.breaker import armed
from cambist.execution.ids import client_id
from cambist.execution.limits import Situation
from cambist.execution.orders import Life, Word, Working
from cambist.execution.risk import judge

DEFAULT_FEE_BPS = Decimal(10)
ROOM_BPS = Decimal(30)
"""What a market entry may cost beyond the price it was decided on, before the venue would find the cash short."""


def obey(account: Account, seat: Seat, commands: Iterable[Any], ts: int, out: Outcome) -> None:
    """Send the entries that the core asks for. What it takes back, guards and exits follow from its state
    (`cambist.engine.upkeep`), as soon as the venue's answers allow."""
    for command in commands:
        if isinstance(command, SubmitOrder) and command.order.role is Role.ENTRY:
            _enter(account, seat, command.order, ts, out)


def _enter(account: Account, seat: Seat, order: Order, ts: int, out: Outcome) -> None:
    plan = seat.bot.entries[order.id][1]
    price = order.price or order.trigger or Decimal(repr(seat.bot.mark))
    if seat.bot.position.quantity * order.side.sign < 0:
        _hold(account, seat, order, price, ts, out)
        return
    if not account.traits.cuts_to_cash:
        order = replace(order, quantity=min(order.quantity, _affordable(seat, price)))
        seat.bot.entries[order.id] = (order, plan)
    left = client_id(order.id, seat.spec.symbol, seat.attempts.get(order.id, 0) + 1) in account.already_sent
    now = None if left else situation(account, seat, order, ts)
    reason = None if now is None else judge(order, seat.bot.instrument, price, account.limits, now)
    if reason is not None:
        _refuse(account, seat, order, reason, ts, out)
        return
    request = make_request(account, seat, order, order.quantity)
    send(account, Working(order, request, plan=plan), ts, out)
    out.commands.append(Place(request))


def _hold(account: Account, seat: Seat, order: Order, price: Decimal, ts: int, out: Outcome) -> None:
    """Let an entry that would turn the position round wait until that is closed: at its venue, whichever came first
    would be taken for the exit. It is judged now as if the position's money were free, and again when it leaves."""
    bot, now = seat.bot, situation(account, seat, order, ts)
    freed = abs(bot.position.quantity) * bot.position.entry_price
    now = replace(now, free_cash=now.free_cash + freed, cash_binds=False)  # it is cut to the cash when it leaves
    reason = judge(order, bot.instrument, price, account.limits, now)
    if reason is not None:
        _refuse(account, seat, order, reason, ts, out)
    else:
        bot.waiting.append(order.id)


def send_waiting(account: Account, seat: Seat, ts: int, out: Outcome) -> None:
    """Send the entries that waited for the position to be closed, those that nobody has taken back meanwhile."""
    bot = seat.bot
    names, bot.waiting = bot.waiting, []
    for name in names:
        if name in bot.entries:
            _enter(account, seat, bot.entries[name][0], ts, out)


def drop_waiting(account: Account, seat: Seat, ts: int, out: Outcome) -> None:
    """Give up the entries that wait for the position to be closed: too much would lie between wish and order."""
    bot = seat.bot
    names, bot.waiting = bot.waiting, []
    for name in names:
        if name in bot.entries:
            _refuse(account, seat, bot.entries[name][0], Reason.EXIT_PENDING, ts, out)


def _refuse(account: Account, seat: Seat, order: Order, reason: Reason, ts: int, out: Outcome) -> None:
    seat.bot.entries.pop(order.id)
    refuse(account, seat, reason, ts, out)


def _affordable(seat: Seat, price: Decimal) -> Decimal:
    """Return the whole lots that the bot's cash pays for at about ``price``, fee and some slippage included."""
    instrument = seat.bot.instrument
    fee_bps = DEFAULT_FEE_BPS if instrument.taker_fee_bps is None else instrument.taker_fee_bps
    cost = price * (1 + (fee_bps + ROOM_BPS) / 10_000)
    return max(Decimal(0), seat.state.free_cash()) // (cost * instrument.lot_step) * instrument.lot_step


def situation(account: Account, seat: Seat, judged: Order, ts: int) -> Situation:
    """Return what is to be known when ``judged`` is judged at ``ts`` (ms)."""
    notionals = {bot: account.notional(other, without=judged.id) for bot, other in account.seats.items()}
    same = sum((notionals[b] for b, s in account.seats.items() if s.spec.symbol == seat.spec.symbol), ZERO)
    total = sum(notionals.values(), ZERO)
    equity = account.equity()
    known = account.prices.get(seat.spec.symbol)
    return Situation(
        now_ms=max(ts, account.now_ms),
        state=account.trading,
        halted_may_reduce=account.may_reduce,
        breaker=account.breaker or armed(equity, ts),
        equity=equity,
        venue_ready=account.venue_ready,
        clock_skew_ms=account.clock_skew_ms,
        last_price=known[0] if known else None,
        last_price_ms=known[1] if known else 0,
        frozen=seat.spec.symbol in account.frozen,
        opposed=account.opposes(seat, judged.side),
        unknown_order=any(one.request.symbol == seat.spec.symbol for one in account.unknown()),
        instrument_notional=same,
        bot_notional=notionals[seat.spec.id],
        account_notional=total,
        user_notional=total + account.elsewhere,
        other_positions=sum(1 for b, amount in notionals.items() if amount and b != seat.spec.id),
        free_cash=seat.state.free_cash(),
        cash_binds=not account.traits.cuts_to_cash,
        rate=account.rate,
    )


def make_request(account: Account, seat: Seat, order: Order, quantity: Decimal) -> OrderRequest:
    """Return the request by which ``order`` goes to the venue: the next attempt at it, under an id of its own."""
    attempt = seat.attempts.get(order.id, 0) + 1
    seat.attempts[order.id] = attempt
    return OrderRequest(
        client_id=client_id(order.id, seat.spec.symbol, attempt),
        symbol=seat.spec.symbol,
        side=order.side,
        type=order.type,
        quantity=quantity,
        price=order.price,
        trigger=order.trigger,
        time_in_force=order.time_in_force,
        reduce_only=order.reduces,
        cost_limit=None if order.reduces else seat.state.free_cash(),
    )


def send(account: Account, one: Working, ts: int, out: Outcome) -> None:
    """Know an order before it leaves: from here on it may exist."""
    one.hear(Word.SENT, ts)
    account.orders[one.request.client_id] = one
    account.follow(one)


def cancel(account: Account, one: Working, ts: int, out: Outcome) -> None:
    """Ask the venue to take ``one`` back, with its pair if it has one; asked once."""
    if one.life is Life.CANCELLING:
        return
    for leg in account.legs(one):
        leg.hear(Word.TAKE_BACK, ts)
    out.commands.append(TakeBackOrder(one.request.symbol, one.request.client_id))


def booked(account: Account, entry: LedgerEntry, out: Outcome) -> None:
    """Book ``entry`` in the ledger and hand it out to be kept."""
    account.ledger.book(entry)
    out.entries.append(entry)


def freeze(account: Account, symbol: str, why: str, ts: int, out: Outcome) -> None:
    """Let nobody enter ``symbol`` until a person has looked: book and venue differ on it."""
    if symbol not in account.frozen:
        alert(account, out, ts, Level.CRITICAL, "trading.frozen", symbol=symbol, why=why)
    account.frozen[symbol] = why


def refuse(account: Account, seat: Seat, reason: Reason, ts: int, out: Outcome) -> None:
    """Note that something was refused to ``seat``, and hand that out."""
    refused = Refused(seat.spec.id, ts, reason)
    seat.state.refused.append(refused)
    tell_refused(account, refused, out)


def tell_refused(account: Account, refused: Refused, out: Outcome) -> None:
    """Hand out a refusal, and tell a person of it unless it is of the kind that happens all day."""
    out.refused.append(refused)
    if refused.reason not in (Reason.ALREADY_IN, Reason.SHORT_ON_SPOT, Reason.EXPIRED):
        alert(account, out, refused.ts, Level.INFO, f"refused.{refused.reason}", bot=refused.bot)


def alert(account: Account, out: Outcome, ts: int, level: Level, key: str, *, bot: str = "", **params: str) -> None:
    """Hand out an alert of this account."""
    spec = account.spec
    out.alerts.append(
        Alert(ts=ts, level=level, key=key, params=params | {"bot": bot}, user_id=spec.user_id, account=spec.id, bot=bot)
    )
