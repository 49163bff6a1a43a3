"""Judging a drill: what the exchange truly did, held against what the book says, after all the failing is over.

The judge reads the exchange's own orders, fills and balances, and the journal and the ledger; no engine is asked.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from cambist.domain.command import Place, PlacePair
from cambist.domain.event import Decided, Frozen, OrderAbsent, OrderReported
from cambist.domain.instrument import Instrument
from cambist.domain.ledger import Cause, LedgerEntry
from cambist.domain.order import OrderType, Side
from cambist.domain.record import record
from cambist.domain.report import FillReport
from cambist.domain.request import OrderRequest
from cambist.domain.wire import from_text
from cambist.domain.wish import Enter
from cambist.engine.recovery import Journaled
from cambist.execution.protection import sellable, sellable_at
from cambist.portfolio.ledger import Ledger
from cambist.portfolio.ledger import fill as booked
from cambist.ports.book import JournalEntry

ZERO = Decimal(0)
PROTECTED_WITHIN_MS = 45_000
"""How long a position may stand without its stop while the engine lives and the exchange answers: two attempts in a row
whose answers are lost. Each takes ten seconds to be given up and seven more until it is known not to exist, and before
that no other may be sent. Whoever is killed meanwhile must begin anew."""
Span = tuple[int, int]
"""From, until (ms)."""


@record(kw_only=True)
class TrueOrder:
    """One order as the exchange itself knows it."""

    client_id: str
    side: Side
    type: OrderType
    quantity: Decimal
    created_ms: int
    ended_ms: int | None
    """None: it is still open."""
    fills: tuple[FillReport, ...]


@record(kw_only=True)
class Truth:
    """What has truly happened to one account on one instrument."""

    instrument: Instrument
    orders: tuple[TrueOrder, ...]
    balances: Mapping[str, Decimal]
    now_ms: int
    excused: tuple[Span, ...] = ()
    """When nobody could have guarded a position: no engine lived, or the exchange could not be reached."""
    forgot: bool = False
    """The exchange has lost its memory on the way: book and exchange differ for good, and trading must stop."""


@record(kw_only=True)
class Verdict:
    """What one run has come to. All lists are empty and all sums zero where nothing was lost."""

    orphans: tuple[str, ...] = ()
    """Orders at the exchange that the journal never meant to send, or open ones that it takes for ended."""
    duplicates: tuple[str, ...] = ()
    """Orders sent twice for one decision, and fills booked twice."""
    missing: tuple[str, ...] = ()
    """Fills that are not in the ledger as the exchange made them, and such as it never made."""
    differing: tuple[tuple[str, Decimal], ...] = ()
    """By asset: the ledger less the exchange."""
    unprotected_ms: int = 0
    """How long positions stood without a stop beyond what was allowed, in all."""
    longest_bare_ms: int = 0
    """The longest time without a stop, allowed or not."""
    unnoticed: bool = False
    """The exchange's memory was gone, and nothing was frozen."""
    orders: int = 0
    fills: int = 0

    @property
    def good(self) -> bool:
        """Whether nothing was lost, doubled, or left unguarded."""
        return not (
            self.orphans or self.duplicates or self.missing or self.differing or self.unprotected_ms or self.unnoticed
        )


@record(kw_only=True)
class Run:
    """What came of one run."""

    seed: int
    verdict: Verdict = Verdict()
    deaths: tuple[str, ...] = ()
    """At which steps engines were killed, each ``moment what``."""
    struck: tuple[str, ...] = ()
    """Which faults came about."""
    broke: int = 0
    """How many engines ended by themselves, which none ever should."""
    restless: bool = False
    """Orders were still in doubt long after the last fault."""
    why: str = ""
    """What made an engine end by itself, the last one that did."""

    @property
    def good(self) -> bool:
        """Whether nothing was lost, doubled, or left unguarded."""
        return self.verdict.good and not self.broke and not self.restless


@record(kw_only=True)
class Sheet:
    """All runs together. All that `good` needs is zero."""

    runs: int
    failed: tuple[int, ...]
    """The seeds of the runs that did not pass."""
    orders: int
    fills: int
    kills: Counter[str]
    struck: Counter[str]
    orphans: int
    duplicates: int
    missing: int
    differing: tuple[tuple[str, Decimal], ...]
    """By asset: how far the ledgers are from the exchanges, without signs."""
    unprotected_ms: int
    longest_bare_ms: int
    broke: int
    why: tuple[str, ...]
    """What made engines end by themselves."""
    restless: int
    unnoticed: int
    """Runs in which an exchange without memory went unnoticed."""

    @property
    def good(self) -> bool:
        """Whether every run passed, and there was something to pass."""
        return not self.failed and self.orders > 0


def sum_up(runs: Sequence[Run]) -> Sheet:
    """Return the sheet of ``runs``."""
    verdicts = [run.verdict for run in runs]
    off: dict[str, Decimal] = {}
    for verdict in verdicts:
        for asset, amount in verdict.differing:
            off[asset] = off.get(asset, ZERO) + abs(amount)
    return Sheet(
        runs=len(runs),
        failed=tuple(sorted(run.seed for run in runs if not run.good)),
        orders=sum(verdict.orders for verdict in verdicts),
        fills=sum(verdict.fills for verdict in verdicts),
        kills=Counter(death for run in runs for death in run.deaths),
        struck=Counter(kind for run in runs for kind in run.struck),
        orphans=sum(len(verdict.orphans) for verdict in verdicts),
        duplicates=sum(len(verdict.duplicates) for verdict in verdicts),
        missing=sum(len(verdict.missing) for verdict in verdicts),
        differing=tuple(sorted(off.items())),
        unprotected_ms=sum(verdict.unprotected_ms for verdict in verdicts),
        longest_bare_ms=max((verdict.longest_bare_ms for verdict in verdicts), default=0),
        broke=sum(run.broke for run in runs),
        why=tuple(sorted({run.why.strip().splitlines()[-1] for run in runs if run.why.strip()})),
        restless=sum(run.restless for run in runs),
        unnoticed=sum(verdict.unnoticed for verdict in verdicts),
    )


def judge(truth: Truth, journal: Iterable[JournalEntry], ledger: Sequence[LedgerEntry]) -> Verdict:
    """Return what has come of a run that has come to rest."""
    meant, causes, over, frozen = _read(journal)
    bare = _bare(truth, meant)
    spans = [stretch for span in bare for stretch in _stretches(span, truth.excused)]
    differing = _differing(truth, ledger)
    found = Verdict(
        duplicates=_duplicates(truth, causes),
        unprotected_ms=sum(max(0, span - PROTECTED_WITHIN_MS) for span in spans),
        longest_bare_ms=max(spans, default=0),
        orders=len(truth.orders),
        fills=sum(len(order.fills) for order in truth.orders),
    )
    if truth.forgot:
        return replace(found, unnoticed=bool(differing) and not frozen)
    return replace(
        found,
        orphans=tuple(
            order.client_id
            for order in truth.orders
            if order.client_id not in meant or (order.ended_ms is None and order.client_id in over)
        ),
        missing=_missing(truth, ledger),
        differing=differing,
    )


@record(kw_only=True)
class _Meant:
    request: OrderRequest
    guarded: bool
    """For entries: whether the strategy wished for a stop."""


def _read(journal: Iterable[JournalEntry]) -> tuple[dict[str, _Meant], dict[str, int], set[str], bool]:
    """Return what was meant to be sent by client id, the decision (seq) behind each entry, the orders that the journal
    takes for ended, and whether an instrument was frozen.

    An entry that no decision asked for has a negative number: it was sent again.
    """
    meant: dict[str, _Meant] = {}
    causes: dict[str, int] = {}
    over: set[str] = set()
    frozen = False
    for entry in journal:
        row: Journaled = from_text(Journaled, entry.body)
        event = row.event
        wishes = event.wishes if isinstance(event, Decided) else ()
        enters = [wish for wish in wishes if isinstance(wish, Enter)]
        frozen = frozen or isinstance(event, Frozen)
        if isinstance(event, OrderReported):
            (over.add if event.report.status.final else over.discard)(event.report.client_id)
        elif isinstance(event, OrderAbsent):
            over.add(event.client_id)
        for command in row.commands:
            if isinstance(command, Place):
                requests: tuple[OrderRequest, ...] = (command.request,)
            elif isinstance(command, PlacePair):
                requests = (command.stop, command.target)
            else:
                continue
            for request in requests:
                guarded = any(wish.stop_loss is not None or wish.trailing_stop is not None for wish in enters)
                meant[request.client_id] = _Meant(request=request, guarded=guarded)
                if not request.reduce_only:
                    causes[request.client_id] = entry.seq if enters else -entry.seq
    return meant, causes, over, frozen


def _duplicates(truth: Truth, causes: Mapping[str, int]) -> tuple[str, ...]:
    ids = Counter(order.client_id for order in truth.orders)
    twice = [client_id for client_id, times in ids.items() if times > 1]
    return tuple(twice + [name for name in ids if causes.get(name, 0) < 0 and name not in twice])


def _missing(truth: Truth, ledger: Iterable[LedgerEntry]) -> tuple[str, ...]:
    """Return the trades that book and exchange do not have alike, by the ledger's name of them."""
    ours = {entry.id: entry for entry in ledger if entry.cause is Cause.TRADE}
    theirs = {}
    for order in truth.orders:
        for one in order.fills:
            entry = booked("bot", one, truth.instrument)
            theirs[entry.id] = entry
    alike = {name for name in ours.keys() & theirs.keys() if _moves(ours[name]) == _moves(theirs[name])}
    return tuple(sorted((ours.keys() | theirs.keys()) - alike))


def _moves(entry: LedgerEntry) -> Counter[tuple[str, Decimal]]:
    return Counter((line.asset, line.amount) for line in entry.lines)


def _differing(truth: Truth, ledger: Iterable[LedgerEntry]) -> tuple[tuple[str, Decimal], ...]:
    book = Ledger()
    for entry in ledger:
        book.book(entry)
    held = book.holdings()
    differs = {
        asset: held.get(asset, ZERO) - truth.balances.get(asset, ZERO) for asset in held.keys() | truth.balances.keys()
    }
    return tuple((asset, amount) for asset, amount in sorted(differs.items()) if amount)


# -- positions without a stop -----------------------------------------------------------------------------------------


def _bare(truth: Truth, meant: Mapping[str, _Meant]) -> list[Span]:
    """Return the times in which the account held what it wished to be guarded, and no stop stood for all of it."""
    rules = truth.instrument
    moves: list[tuple[int, int, Decimal, Decimal, bool]] = []  # ts, turn, held, guarded, wishes for a guard
    price = ZERO
    for order in truth.orders:
        wish = meant.get(order.client_id)
        wants = wish is not None and wish.guarded
        for one in order.fills:
            fee = one.fee if one.fee_asset == rules.base else ZERO
            moves.append((max(one.ts, order.created_ms), 0, one.quantity * order.side.sign - fee, ZERO, wants))
            price = max(price, one.price)
        if order.type is OrderType.STOP and order.side is Side.SELL:
            moves.append((order.created_ms, 1, ZERO, order.quantity, False))
            moves += [(max(one.ts, order.created_ms), 1, ZERO, -one.quantity, False) for one in order.fills]
            left = order.quantity - sum((one.quantity for one in order.fills), ZERO)
            if order.ended_ms is not None and left:
                moves.append((order.ended_ms, 2, ZERO, -left, False))
    return _spans(sorted(moves, key=lambda move: move[:2]), rules, price, truth.now_ms)


def _spans(
    moves: Iterable[tuple[int, int, Decimal, Decimal, bool]], rules: Instrument, price: Decimal, now_ms: int
) -> list[Span]:
    held = guarded = ZERO
    wants, since = False, None
    found: list[Span] = []
    for ts, _, bought, guard, wish in moves:
        held, guarded = held + bought, guarded + guard
        # what no order could sell by itself is dust, held or unguarded
        wants = (wants or wish) and sellable_at(rules, sellable(rules, max(ZERO, held)), price)
        bare = wants and sellable_at(rules, sellable(rules, max(ZERO, held - guarded)), price)
        if bare and since is None:
            since = ts
        elif not bare and since is not None:
            found.append((since, ts))
            since = None
    if since is not None:
        found.append((since, now_ms))
    return found


def _stretches(span: Span, excused: Iterable[Span]) -> list[int]:
    """Return how long (ms) ``span`` went on each time, begun anew where somebody could act again."""
    at, until = span
    found = []
    for since, to in sorted(excused):
        if to <= at or since >= until:
            continue
        if since > at:
            found.append(since - at)
        at = max(at, to)
    return [*found, until - at] if until > at else found
