"""How trading has gone: balance over time, and figures by bot, strategy, source, broker and symbol.

Money is exact: sums of what the journal's fills came to, turned into the wanted currency at its last known price.
Ratios are estimates, computed by the functions that measure backtests (`cambist.analytics.performance`), on equity to
which nothing was added and from which nothing was taken: what the bots began with, and what they won and lost since.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from cambist.domain.account import AccountSpec
from cambist.domain.errors import NotFound
from cambist.domain.past import WHOLE, Curve, PastSeat, Wanted
from cambist.domain.position import ZERO
from cambist.domain.price import Price
from cambist.domain.statistics import Balance, Balances, Daily, Day, Report
from cambist.domain.timeframe import DAY_MS
from cambist.ports.book import Register
from cambist.usecases.past import History
from cambist.usecases.reckoning import Taken, span_of

Rates = Callable[[Iterable[str], str], Mapping[str, Price]]
"""What assets are worth in a currency; those without a price are left out."""

GROUPS = ("bot", "strategy", "source", "broker", "symbol")


class Statistics:
    """The statistics of one user."""

    def __init__(self, register: Register, history: History, rates: Rates) -> None:
        self._register = register
        self._history = history
        self._rates = rates

    def summary(self, wanted: Wanted, currency: str | None = None) -> Report:
        """Return how all that is wanted has gone; raise `NotFound` for an account that is not there."""
        taken = self._take(wanted, currency)
        whole = wanted.bot is None and wanted.source is None and wanted.strategy is None and wanted.symbol is None
        accounts = {seat.account for seat in taken.seats} | {curve.account for curve in taken.whole}
        return taken.report([taken.performance("", taken.seats, whole=accounts if whole else None)])

    def by(self, group: str, wanted: Wanted, currency: str | None = None) -> Report:
        """Return how each bot, strategy, source, broker or symbol has gone, by name; raise `NotFound`."""
        taken = self._take(wanted, currency)
        groups: dict[str, list[PastSeat]] = defaultdict(list)
        for seat in taken.seats:
            groups[_name(group, seat)].append(seat)
        return taken.report(
            [
                taken.performance(name, groups[name], whole={name} if group == "broker" else None)
                for name in sorted(groups)
            ]
        )

    def balance(
        self,
        account: str | None = None,
        since: int | None = None,
        until: int | None = None,
        currency: str | None = None,
        points: int | None = None,
    ) -> Balances:
        """Return what accounts were worth over time, together and each; raise `NotFound`."""
        taken = self._take(Wanted(account=account, since=since, until=until), currency)
        each = [_cut(curve, since) for curve in taken.whole]
        total = _together(each, taken.rates)
        alone = (Balance(account=one.account, currency=one.quote, ts=one.ts, balance=one.equity) for one in each)
        return Balances(
            currency=taken.currency,
            rates=taken.shown_rates(),
            unconverted=taken.unconverted,
            total=thinned(Balance(account="", currency=taken.currency, ts=total[0], balance=total[1]), points),
            accounts=tuple(thinned(one, points) for one in alone),
        )

    def daily(self, wanted: Wanted, currency: str | None = None) -> Daily:
        """Return what each UTC day came to, from the first to the last on which something happened."""
        taken = self._take(wanted, currency)
        return Daily(
            currency=taken.currency,
            rates=taken.shown_rates(),
            unconverted=taken.unconverted,
            days=tuple(_days(taken)),
        )

    def _take(self, wanted: Wanted, currency: str | None) -> Taken:
        specs = {spec.id: spec for spec in self._register.accounts()}
        if wanted.account is not None and wanted.account not in specs:
            raise NotFound("book.no_account", account=wanted.account, near=", ".join(specs) or "-")
        accounts = [spec for spec in specs.values() if wanted.account in (None, spec.id)]
        currency = currency or usual(accounts or list(specs.values()))
        known, kept = self._history.known(), self._history.kept
        seats = [seat for one in accounts if one.id in known for seat in known[one.id].seats if _fits(seat, wanted)]
        pairs = [(spec.id, WHOLE) for spec in accounts] + [(seat.account, seat.bot) for seat in seats]
        curves = kept.curves(pairs, wanted.since, wanted.until) if pairs else []
        rates = self._rates({spec.quote for spec in accounts}, currency)
        return Taken(wanted, currency, accounts, seats, curves, kept.results(wanted), rates)


def thinned(balance: Balance, points: int | None) -> Balance:
    """Return at most about ``points`` of a curve: the first, the last, and the least and greatest of each part."""
    count = len(balance.ts)
    if points is None or count <= max(points, 2):
        return balance
    parts = max(1, (points - 2) // 2)
    kept = {0, count - 1}
    for part in range(parts):
        rows = range(1 + part * (count - 2) // parts, 1 + (part + 1) * (count - 2) // parts)
        if rows:
            kept |= {min(rows, key=balance.balance.__getitem__), max(rows, key=balance.balance.__getitem__)}
    at = sorted(kept)
    return Balance(
        account=balance.account,
        currency=balance.currency,
        ts=tuple(balance.ts[row] for row in at),
        balance=tuple(balance.balance[row] for row in at),
    )


# -- pieces -----------------------------------------------------------------------------------------------------------


def usual(accounts: Sequence[AccountSpec]) -> str:
    """Return the currency in which most accounts count."""
    quotes = [spec.quote for spec in accounts]
    return max(sorted(set(quotes)), key=quotes.count, default="USDT")


def _fits(seat: PastSeat, wanted: Wanted) -> bool:
    source = seat.source.partition(":")[0] if wanted.source == "webhook" else seat.source
    return (
        wanted.bot in (None, seat.bot)
        and wanted.strategy in (None, seat.strategy)
        and wanted.symbol in (None, seat.symbol)
        and wanted.source in (None, source)
    )


def _name(group: str, seat: PastSeat) -> str:
    return {
        "bot": seat.bot,
        "strategy": seat.strategy,
        "source": seat.source,
        "broker": seat.account,
        "symbol": seat.symbol,
    }[group]


def _cut(curve: Curve, since: int | None) -> Curve:
    """Return ``curve`` from ``since`` on: what was last known before stands at that time."""
    if since is None or curve.ts[0] >= since:
        return curve
    return Curve(
        account=curve.account, bot=curve.bot, quote=curve.quote, ts=(since, *curve.ts[1:]), equity=curve.equity
    )


def _together(curves: Sequence[Curve], rates: Mapping[str, Decimal]) -> tuple[tuple[int, ...], tuple[Decimal, ...]]:
    """Return the sum of ``curves`` whenever one of them changes; one that has not begun adds nothing."""
    points = sorted(
        (ts, row, worth * rates[curve.quote])
        for row, curve in enumerate(curves)
        if curve.quote in rates
        for ts, worth in zip(curve.ts, curve.equity, strict=True)
    )
    last, total = dict.fromkeys(range(len(curves)), ZERO), ZERO
    sums: dict[int, Decimal] = {}
    for ts, row, worth in points:
        total += worth - last[row]
        last[row] = worth
        sums[ts] = total
    return tuple(sums), tuple(sums.values())


def _days(taken: Taken) -> Iterable[Day]:
    results, own = taken.results, taken.own(taken.seats)
    if not own:
        return
    of_day: dict[int, list[tuple[int, Decimal]]] = defaultdict(list)
    for seat in taken.seats:
        for row in taken.rows(seat):
            of_day[_day_of(results.exit_ts[row])].append((row, taken.rates[seat.quote]))
    first, last = span_of([curve for _, curve in own], taken.wanted)
    for day in range(_day_of(first), _day_of(last) + 1):
        rows = of_day[day]
        start, end = max(first, day * DAY_MS), min(last, (day + 1) * DAY_MS)
        yield Day(
            day=datetime.fromtimestamp(day * DAY_MS / 1_000, UTC).date().isoformat(),
            pnl=taken.won_at(own, end) - taken.won_at(own, start),
            realised=sum((results.pnl[row] * rate for row, rate in rows), ZERO),
            fees=sum((results.fees[row] * rate for row, rate in rows), ZERO),
            trades=len(rows),
            won=sum(1 for row, _ in rows if results.pnl[row] > 0),
        )


def _day_of(ts: int) -> int:
    """Return the number of the UTC day of ``ts``: what happens at its very end is of the day before."""
    return (ts - 1) // DAY_MS
