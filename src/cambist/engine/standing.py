"""How an account stands, read off it: for the audit stream, and for whoever asks once."""

from collections.abc import Sequence
from decimal import Decimal

from cambist.domain.order import Order, OrderType
from cambist.domain.position import ZERO
from cambist.domain.standing import AccountStanding, BotStanding, OrderStanding
from cambist.domain.trading import BreakerStage
from cambist.engine.account import Account, Seat
from cambist.engine.hand import spendable
from cambist.engine.lane import Lane
from cambist.execution.orders import Working
from cambist.execution.protection import Protection, covered, sellable, standing, tightest


def standing_of(lane: Lane) -> AccountStanding:
    """Return how the account in ``lane`` stands now."""
    foreign = tuple(report.client_id or report.venue_id for report in lane.foreign)
    return account_standing(lane.account, lane.seq, ready=lane.ready, foreign=foreign)


def account_standing(
    account: Account, seq: int, *, ready: bool | None = None, foreign: tuple[str, ...] = ()
) -> AccountStanding:
    """Return how ``account`` stands after journal entry ``seq``; ``ready`` is None out of the loop."""
    spec = account.spec
    bots = tuple(_bot(account, seat) for seat in account.seats.values() if not seat.deleted or seat.bot.position)
    return AccountStanding(
        id=spec.id,
        user_id=spec.user_id,
        venue=spec.venue,
        mode=spec.mode,
        quote=spec.quote,
        ts=account.now_ms,
        seq=seq,
        ready=ready,
        trading=account.trading,
        breaker=BreakerStage.CLEAR if account.breaker is None else account.breaker.stage,
        equity=sum((bot.equity for bot in bots), ZERO),
        free=spendable(account, spec.quote),
        won=sum((seat.state.cash - seat.spec.budget for seat in account.seats.values() if seat.deleted), ZERO),
        frozen=tuple(account.frozen.items()),
        unknown=tuple(one.request.client_id for one in account.unknown()),
        foreign=foreign,
        bots=bots,
    )


def _bot(account: Account, seat: Seat) -> BotStanding:
    spec, bot, cash = seat.spec, seat.bot, seat.state.cash
    working = account.working(spec.id)
    held, entry = bot.position.quantity, bot.position.entry_price
    mark = Decimal(repr(bot.mark))
    guards = list(bot.protections.values())
    stop = tightest(guards)
    target = next((guard for guard in guards if guard.type is OrderType.TAKE_PROFIT), None)
    return BotStanding(
        id=spec.id,
        strategy=spec.strategy,
        symbol=spec.symbol,
        timeframe=spec.timeframe,
        status=seat.status,
        budget=spec.budget,
        equity=cash + held * mark,
        price=mark if bot.mark else _last_price(account, spec.symbol),
        quantity=held,
        entry_price=entry,
        unrealised=held * (mark - entry) if held else ZERO,
        protection=_protection(seat, guards, working).value,
        stop_loss=stop.level if stop else None,
        take_profit=target.level if target else None,
        trades=seat.closed,
        # equity less budget and unrealised: the mark falls out of it
        realised=cash + held * entry - spec.budget if held else cash - spec.budget,
        closing=bot.exiting is not None,
        orders=tuple(map(_order, working)),
    )


def _protection(seat: Seat, guards: Sequence[Order], working: Sequence[Working]) -> Protection:
    """Tell who guards a position: the venue only if a stop for all of it rests there, where one is wanted."""
    found = standing(guards, [one for one in working if one.order.reduces])
    whole = covered(working) >= sellable(seat.bot.instrument, seat.bot.position.quantity)
    return found if whole or tightest(guards) is None or found is not Protection.NATIVE else Protection.EMULATED


def _last_price(account: Account, symbol: str) -> Decimal | None:
    known = account.prices.get(symbol)
    return known[0] if known else None


def _order(one: Working) -> OrderStanding:
    request = one.request
    return OrderStanding(
        client_id=request.client_id,
        symbol=request.symbol,
        side=request.side,
        type=request.type,
        role=one.order.role,
        life=one.life.value,
        quantity=request.quantity,
        filled=one.filled,
        price=request.price,
        trigger=request.trigger,
        since_ms=one.since_ms,
    )
