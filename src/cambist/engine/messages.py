"""What the bus is told of an account, as JSON: money is text, and each ``id`` a pure function of what caused it.

The forms are the mission's; what readers need beside that (account, user, client id, status) is added. Whoever reads
may see a message twice, and knows it by its ``id``.
"""

from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from cambist.domain.account import AccountSpec, BotSpec
from cambist.domain.alert import Alert, Level
from cambist.domain.event import AccountEvent, Decided, Wished
from cambist.domain.ledger import LedgerEntry
from cambist.domain.order import Role
from cambist.domain.record import record
from cambist.domain.report import FillReport
from cambist.domain.standing import AccountStanding
from cambist.domain.wire import codec, to_text
from cambist.domain.wish import CancelEntries, Enter, Wish
from cambist.engine.account import Outcome, Seat
from cambist.engine.following import Followed
from cambist.engine.recovery import Journaled
from cambist.engine.state import ClosedTrade
from cambist.market.costs import level_steps
from cambist.ports.bus import ALERTS, AUDIT, FILLS, ORDERS, SIGNALS

Message = dict[str, Any]
Told = tuple[str, Message]
"""Topic and message."""

_RATIO = Decimal("0.01")


@record(kw_only=True)
class Note:
    """One journaled event, and all that is told of it."""

    spec: AccountSpec
    seq: int
    ts: int
    """When it was journaled (ms)."""
    event: AccountEvent
    outcome: Outcome
    changed: tuple[Followed, ...]
    fill: FillReport | None
    seats: dict[str, Seat]


def messages(note: Note) -> list[Told]:
    """Return what the bus is told of one event: what it means first, the whole of it last."""
    told: list[Told] = []
    if isinstance(note.event, Decided | Wished) and note.event.bot in note.seats:
        told += [(SIGNALS, message) for message in _signals(note, note.event)]
    if note.fill is not None:
        told += [(FILLS, _fill(note, note.fill, one)) for one in note.changed if _of(one, note.fill)]
    told += [(ORDERS, _order(note, one)) for one in note.changed]
    told += [(ALERTS, alert_message(alert)) for alert in note.outcome.alerts]
    entered = (one for one in note.changed if one.over and one.one.order.role is Role.ENTRY and one.average)
    told += [(ALERTS, _entered(note, one)) for one in entered]
    told += [(ALERTS, _closed(note, number, trade)) for number, trade in enumerate(note.outcome.closed)]
    told.append((AUDIT, _event(note)))
    return told


# -- the mission's messages -------------------------------------------------------------------------------------------


def _signals(note: Note, event: Decided | Wished) -> list[Message]:
    spec = note.seats[event.bot].spec
    found = []
    for leg, wish in enumerate(event.wishes):
        found.append(
            _about(note, f"signal:{leg}", spec)
            | {
                "action": _action(wish),
                "confidence": None,  # strategies state wishes, not odds
                "strategy": spec.strategy,
                "target_bot": spec.id,
                "timeframe": str(spec.timeframe),
                "candle_ms": event.ts,
                "price": _text(Decimal(repr(event.close))),
            }
        )
    return found


def _action(wish: Wish) -> str:
    if isinstance(wish, Enter):
        return str(wish.side)
    return "cancel" if isinstance(wish, CancelEntries) else "close"


def _order(note: Note, followed: Followed) -> Message:
    one = followed.one
    order, request, seat = one.order, one.request, note.seats[one.order.bot]
    price = request.price or request.trigger or followed.near
    stop, target = _guards(seat, followed, price)
    return _about(note, f"order:{request.client_id}", seat.spec) | {
        "side": str(order.side),
        "quantity": _text(request.quantity),
        "price": _text(price),
        "stop_loss": _text(stop),
        "take_profit": _text(target),
        "client_id": request.client_id,
        "order_id": order.id,
        "list_id": one.list_id,
        "role": str(order.role),
        "order_type": str(request.type),
        "limit": _text(request.price),
        "trigger": _text(request.trigger),
        "status": str(one.life),
        "filled": _text(one.filled),
        "average": _text(followed.average),
        "reason": one.reason,
    }


def _fill(note: Note, fill: FillReport, followed: Followed) -> Message:
    return _about(note, f"fill:{fill.trade_id}", note.seats[followed.one.order.bot].spec) | {
        "timestamp": _moment(fill.ts),
        "side": str(fill.side),
        "quantity": _text(fill.quantity),
        "price": _text(fill.price),
        "fee": _text(fill.fee),
        "fee_asset": fill.fee_asset,
        "liquidity": str(fill.liquidity),
        "role": str(followed.one.order.role),
        "client_id": fill.client_id,
        "trade_id": fill.trade_id,
        "status": str(followed.one.life),
        "filled": _text(followed.one.filled),
    }


def _of(followed: Followed, fill: FillReport) -> bool:
    return followed.one.request.client_id == fill.client_id


# -- alerts -----------------------------------------------------------------------------------------------------------


def alert_message(alert: Alert) -> Message:
    """Return ``alert``; any reader says it in its own language, by ``key`` and ``params``."""
    params = {
        name: value if isinstance(value, str | int | None) else str(value) for name, value in alert.params.items()
    }
    return {
        "id": f"{alert.account}:{alert.ts}:alert:{alert.key}:{_digest(repr(sorted(params.items())))}",
        "timestamp": _moment(alert.ts),
        "type": alert.key,
        "level": str(alert.level),
        "key": alert.key,
        "params": params,
        "user_id": alert.user_id,
        "account": alert.account,
        "bot": alert.bot,
    }


def _entered(note: Note, followed: Followed) -> Message:
    """Tell of an entry that is over: what it may lose at its stop, and gain at its target, before fees."""
    one = followed.one
    seat, price, quantity = note.seats[one.order.bot], followed.average, one.filled
    stop, target = _guards(seat, followed, price)
    risk = None if stop is None or price is None else abs(price - stop) * quantity
    gain = None if target is None or price is None else abs(target - price) * quantity
    ratio = None if not risk or gain is None else (gain / risk).quantize(_RATIO)
    key = "alert.entered" if risk is None else "alert.entered_guarded" if ratio is None else "alert.entered_target"
    said = {"price": price, "quantity": quantity, "risk": risk, "gain": gain, "ratio": ratio}
    params = {name: _text(value) for name, value in said.items() if value is not None}
    return _about(note, f"alert:trade_executed:{one.request.client_id}", seat.spec) | {
        "type": "trade_executed",
        "level": str(Level.INFO),
        "bot": seat.spec.id,
        "side": str(one.order.side),
        "quantity": _text(quantity),
        "price": _text(price),
        "stop_loss": _text(stop),
        "take_profit": _text(target),
        "risk": _text(risk),
        "potential_gain": _text(gain),
        "rr_ratio": _text(ratio),
        "key": key,
        "params": params | _named(seat) | {"side": str(one.order.side)},
    }


def _closed(note: Note, number: int, trade: ClosedTrade) -> Message:
    seat = note.seats[trade.bot]
    said = {"price": _text(trade.exit_price), "pnl": _text(trade.pnl)}
    return _about(note, f"alert:trade_closed:{number}", seat.spec) | {
        "type": "trade_closed",
        "level": str(Level.INFO),
        "bot": seat.spec.id,
        "side": "sell" if trade.sign > 0 else "buy",
        "quantity": _text(trade.quantity),
        "entry_price": _text(trade.entry_price),
        "fees": _text(trade.fees),
        "reason": str(trade.reason),
        **said,
        "key": "alert.closed",
        "params": said | _named(seat) | {"why": str(trade.reason)},
    }


def _named(seat: Seat) -> dict[str, str]:
    return {"bot": seat.spec.id, "symbol": seat.spec.symbol, "quote": seat.bot.instrument.quote}


# -- the audit stream -------------------------------------------------------------------------------------------------


def _event(note: Note) -> Message:
    """Return an event whole, with what it made us do, as it stands in the journal."""
    journaled = codec(Journaled)[0](Journaled(note.event, tuple(note.outcome.commands)))
    return {
        "kind": "event",
        "id": f"{note.spec.id}:{note.seq}:event",
        "user_id": note.spec.user_id,
        "account": note.spec.id,
        "seq": note.seq,
        "ts": note.ts,
        "timestamp": _moment(note.ts),
        "event": type(note.event).__name__,
        "bot": _bot_of(note.event),
        "data": journaled["event"],
        "commands": journaled.get("commands", []),
        "alerts": codec(list[Alert])[0](note.outcome.alerts),
        "entries": codec(list[LedgerEntry])[0](note.outcome.entries),
    }


def _bot_of(event: AccountEvent) -> str:
    return str(getattr(event, "bot", ""))


def standing_message(standing: AccountStanding) -> Message:
    """Return how an account stands; read it with ``codec(AccountStanding)``."""
    body = codec(AccountStanding)[0](standing)
    return {
        "kind": "standing",
        "id": f"{standing.id}:{standing.seq}:standing:{_digest(to_text(AccountStanding, standing))}",
        "user_id": standing.user_id,
        "account": standing.id,
        "seq": standing.seq,
        "ts": standing.ts,
        "standing": body,
    }


def left_message(spec: AccountSpec, seq: int) -> Message:
    """Tell that an account has left the loop."""
    return {"kind": "left", "id": f"{spec.id}:{seq}:left", "user_id": spec.user_id, "account": spec.id, "seq": seq}


# -- pieces -----------------------------------------------------------------------------------------------------------


def _about(note: Note, what: str, spec: BotSpec) -> Message:
    return {
        "id": f"{note.spec.id}:{note.seq}:{what}",
        "timestamp": _moment(note.ts),
        "bot_id": spec.id,
        "pair": spec.symbol.split(":", 1)[0].replace("/", ""),
        "symbol": spec.symbol,
        "user_id": note.spec.user_id,
        "account": note.spec.id,
        "seq": note.seq,
    }


def _guards(seat: Seat, followed: Followed, price: Decimal | None) -> tuple[Decimal | None, Decimal | None]:
    """Return the stop and the target that an order is or, as an entry, will have: by its fills once it has some."""
    one = followed.one
    if one.order.reduces:
        target = one.order.role is Role.TAKE_PROFIT
        return (None, one.request.trigger) if target else (one.request.trigger, None)
    price = followed.average or price
    if one.plan is None or price is None:
        return None, None
    stops = [fraction for fraction in (one.plan.stop_loss, one.plan.trailing_stop) if fraction]
    stop = -min(stops) if stops else None
    return _level(seat, one.order.side.sign, price, stop), _level(
        seat, one.order.side.sign, price, one.plan.take_profit
    )


def _level(seat: Seat, sign: int, price: Decimal, fraction: float | None) -> Decimal | None:
    if not fraction:
        return None
    steps = seat.bot.steps
    return steps.tick * level_steps(float(price), sign, fraction, steps.tick_mul, steps.tick_scale)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")


def _moment(ts: int) -> str:
    return datetime.fromtimestamp(ts / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=6).hexdigest()
