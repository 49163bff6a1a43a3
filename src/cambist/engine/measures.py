"""What the trading loop can be measured by: it watches (account, event, outcome), and changes nothing."""

from cambist.domain.account import BotStatus
from cambist.domain.command import Place, PlacePair, TakeBackOrder, VenueCommand
from cambist.domain.event import (
    AccountEvent,
    CancelStood,
    FillReported,
    OrderAbsent,
    OrderLost,
    OrderReported,
    Restarted,
)
from cambist.domain.trade import ExitReason
from cambist.engine.account import KEPT, Account, Outcome
from cambist.execution.orders import Life
from cambist.ports.metrics import Metrics

_GUARDS = (ExitReason.STOP_LOSS, ExitReason.TAKE_PROFIT, ExitReason.TRAILING_STOP)


class Measures:
    """Hands what happens to ``metrics``."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._lives: dict[str, dict[str, Life]] = {}
        """By account and client id: where orders that are not settled stood last."""

    def took(self, account: Account, event: AccountEvent, outcome: Outcome) -> None:
        """Note what ``event`` has come to."""
        name = account.spec.id
        self._metrics.count("events_total", event=type(event).__name__)
        self._note_orders(account, event, outcome)
        if isinstance(event, FillReported) and outcome.entries:
            self._metrics.count("fills_total", account=name, side=str(event.fill.side))
        for refused in outcome.refused:
            self._metrics.count("refused_total", account=name, reason=str(refused.reason))
        for trade in outcome.closed:
            self._metrics.count("trades_executed_total", account=name, reason=str(trade.reason))
            if trade.reason in _GUARDS:
                self._metrics.count("tpsl_triggered_total", account=name, leg=str(trade.reason))

    def stands(self, account: Account) -> None:
        """Show how an account stands."""
        name = account.spec.id
        held = [seat for seat in account.seats.values() if seat.bot.position]
        running = sum(seat.status is BotStatus.RUNNING for seat in account.seats.values())
        stage = account.breaker.stage if account.breaker is not None else 0
        for metric, value in (
            ("unprotected_positions", sum(not account.guarded(seat) for seat in held)),
            ("unknown_orders", len(account.unknown())),
            ("frozen_instruments", len(account.frozen)),
            ("open_orders", sum(not one.ended for one in account.orders.values())),
            ("open_positions", len(held)),
            ("running_bots", running),
            ("breaker_stage", int(stage)),
        ):
            self._metrics.gauge(metric, value, account=name)
        self._metrics.gauge("equity", float(account.equity()), account=name, quote=account.spec.quote)

    def forget(self, account: Account) -> None:
        """Drop what is known of an account that has left."""
        self._lives.pop(account.spec.id, None)

    def appended(self, seconds: float, waiting: int) -> None:
        """Note how long the journal took, and how many events wait by now."""
        self._metrics.observe("journal_append_seconds", seconds)
        self._metrics.gauge("queue_depth", waiting)

    def answered(self, venue: str, seconds: float) -> None:
        """Note how long a venue took for its word on an order."""
        self._metrics.observe("order_ack_seconds", seconds, venue=venue)

    def failed(self, venue: str, error: BaseException) -> None:
        """Note a request that a venue did not fulfil."""
        self._metrics.count("venue_errors_total", venue=venue, kind=type(error).__name__)

    def reconciled(self, account: Account, result: str) -> None:
        """Note a comparison with the venue: ``agrees``, ``differs``, ``moving`` (it proves nothing) or ``failed``."""
        self._metrics.count("reconciliations_total", account=account.spec.id, result=result)

    def skewed(self, venue: str, skew_ms: int) -> None:
        """Note our clock less the venue's."""
        self._metrics.gauge("clock_offset_seconds", -skew_ms / 1_000, venue=venue)

    def _note_orders(self, account: Account, event: AccountEvent, outcome: Outcome) -> None:
        lives = self._lives.setdefault(account.spec.id, {})
        names = list(account.orders) if isinstance(event, Restarted) else _named(event)
        for command in outcome.commands:
            names += _sent(command)
        for name in names:
            one = account.orders.get(name)
            for leg in () if one is None else account.legs(one):
                if lives.get(leg.request.client_id) is not leg.life:
                    lives[leg.request.client_id] = leg.life
                    self._metrics.count("orders_total", account=account.spec.id, state=str(leg.life))
        if len(lives) > 4 * KEPT:
            self._lives[account.spec.id] = {name: life for name, life in lives.items() if name in account.orders}


def _named(event: AccountEvent) -> list[str]:
    match event:
        case OrderReported(report):
            return [report.client_id]
        case FillReported(fill):
            return [fill.client_id]
        case OrderLost(client_id) | OrderAbsent(client_id) | CancelStood(client_id):
            return [client_id]
    return []


def _sent(command: VenueCommand) -> list[str]:
    match command:
        case Place(request):
            return [request.client_id]
        case PlacePair(_, stop, target):
            return [stop.client_id, target.client_id]
        case TakeBackOrder(_, client_id):
            return [client_id]
    return []
