"""Book against venue, every few seconds: orders, fills, holdings. Differences become events with their evidence, a
person's word books them, and nothing is invented. The venue's stream of reports is listened to here too."""

from contextlib import suppress

from cambist.domain.alert import Level
from cambist.domain.errors import CambistError, NotFound, VenueUnavailable
from cambist.domain.event import Corrected, Frozen, OrderReported, Thawed
from cambist.domain.report import Connection, FillReport, OrderReport, Report
from cambist.engine.carrying import Carrier
from cambist.engine.lane import Lane, Loop
from cambist.execution.orders import Life, Working
from cambist.execution.reconcile import HoldingDiffers, foreign, holdings, to_ask
from cambist.portfolio.ledger import held_asset

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
MARGIN_MS = 60_000
"""How much further back fills are asked for than should be needed: clocks differ, and venues list fills late."""
SILENT_ALERT_MS = 60_000
"""How long a venue may not answer before a person is told."""
IDLE_ROUNDS = 9
"""How many comparisons in a row an account skips that holds nothing and has no order under way."""
WHOLE_EVERY = 12
"""How often orders and fills of every symbol are asked for; in between, open orders where the account trades, and the
fills that those show and we lack. Asking for all each time would let an address carry four accounts."""
ADOPT_TRIES = 10


class Reconciler:
    """Holds the books of one loop's accounts against their venues."""

    def __init__(self, loop: Loop, carrier: Carrier, every_s: float) -> None:
        self._loop = loop
        self._carrier = carrier
        self._every_s = every_s

    # -- the venue's stream -------------------------------------------------------------------------------------------

    async def listen(self, lane: Lane) -> None:
        """Take in what the venue pushes. A stream that ends or breaks is opened again, however often."""
        wait = FIRST_WAIT_S
        while True:
            opened, why = self._loop.now_ms(), ""
            try:
                async for report in lane.venue.reports():
                    self._heard(lane, report)
            except Exception as error:  # noqa: BLE001 - a stream that died of anything must not look like a calm one
                self._loop.measures.failed(lane.venue.name, error)
                why = str(error) or type(error).__name__
            lane.ready = False
            if self._loop.now_ms() - opened > LONGEST_WAIT_S * 1_000:
                wait = FIRST_WAIT_S
            if wait == FIRST_WAIT_S:  # once, however often it then fails to open
                self._loop.alert(lane, Level.WARNING, "trading.stream_lost", venue=lane.venue.name, why=why)
            await self._loop.sleep(wait)
            wait = min(LONGEST_WAIT_S, 2 * wait)

    def _heard(self, lane: Lane, report: Report) -> None:
        if isinstance(report, OrderReport):
            if report.client_id in lane.account.orders:
                self._loop.tell(lane, OrderReported(report))
        elif isinstance(report, FillReport):
            self._carrier.heard_fill(lane, report)
        elif isinstance(report, Connection):
            lane.ready = False
            if report.up:
                self._loop.start(lane, self._once(lane))

    async def _once(self, lane: Lane) -> None:
        await self.safely(lane)

    # -- comparing ----------------------------------------------------------------------------------------------------

    async def keep_reconciling(self, lane: Lane) -> None:
        """Compare every few seconds, less often while the account has nothing at stake, for as long as it is here."""
        failing_since, told, skipped = 0, False, 0
        while True:
            calm = lane.ready and lane.account.idle and not lane.differing
            if calm and skipped < IDLE_ROUNDS:
                skipped += 1
            elif await self.safely(lane):
                failing_since, told, skipped = 0, False, 0
            elif not failing_since:
                failing_since = self._loop.now_ms()
            elif not told and self._loop.now_ms() - failing_since > SILENT_ALERT_MS:
                told = True
                self._loop.alert(lane, Level.CRITICAL, "trading.venue_silent", venue=lane.venue.name)
            await self._loop.sleep(self._every_s)

    async def safely(self, lane: Lane) -> bool:
        """Compare once; tell whether the venue answered. What it did not say is never guessed."""
        try:
            await self.reconcile(lane)
        except Exception as error:  # noqa: BLE001 - asked again in a few seconds
            self._loop.measures.failed(lane.venue.name, error)
            self._loop.measures.reconciled(lane.account, "failed")
            return False
        lane.ready = True
        return True

    async def reconcile(self, lane: Lane) -> None:
        """Hold the book against the venue: orders, fills, holdings. Differences become events with their evidence."""
        began = self._loop.now_ms()
        differing = await self.compare(lane)
        if differing is None:
            lane.differing = ()  # something moved while we looked: what is seen then proves nothing
            self._loop.measures.reconciled(lane.account, "moving")
            return
        if differing and differing == lane.differing:
            self._freeze(lane, differing)
        lane.differing = differing
        if not differing:  # then every fill until now is in the book, and need not be asked for again
            skew_ms = abs(lane.account.clock_skew_ms)
            lane.since_ms = max(lane.since_ms, began - MARGIN_MS - skew_ms)
        self._loop.measures.reconciled(lane.account, "differs" if differing else "agrees")

    async def compare(self, lane: Lane) -> tuple[HoldingDiffers, ...] | None:
        """Ask the venue for orders, fills and holdings; return which holdings differ, None if something moved."""
        account = lane.account
        quiet, seq = _is_quiet(lane), lane.seq
        symbols = sorted({seat.spec.symbol for seat in account.seats.values()})
        whole = lane.looks % WHOLE_EVERY == 0
        open_orders = await lane.venue.open_orders(() if whole else symbols)
        elsewhere = () if whole else (one for one in lane.foreign if one.symbol not in symbols)
        lane.foreign = (*elsewhere, *foreign(open_orders, account.orders))
        open_ids = frozenset(report.client_id for report in open_orders)
        for one in to_ask(account.orders.values(), open_ids, self._loop.now_ms()):
            self._carrier.ask_about(lane, one.request.client_id)
        behind = symbols if whole else sorted({one.symbol for one in open_orders if account.behind(one)})
        for symbol in behind:
            await self._carrier.take_fills(lane, symbol)
        lane.looks += 1
        balances = await lane.venue.balances()
        if not quiet or lane.seq != seq or not _is_quiet(lane):
            return None
        return holdings(account.ledger.holdings(), balances, account.open_contracts())

    def _freeze(self, lane: Lane, differing: tuple[HoldingDiffers, ...]) -> None:
        by_asset = {one.asset: one for one in differing}
        for seat in lane.account.seats.values():
            instrument = seat.bot.instrument
            for asset in (held_asset(instrument), instrument.quote):
                found = by_asset.get(asset)
                if found is not None and seat.spec.symbol not in lane.account.frozen:
                    why = f"{asset}: {found.expected} / {found.found}"
                    self._loop.tell(lane, Frozen(self._loop.now_ms(), seat.spec.symbol, why))

    # -- what people do about it --------------------------------------------------------------------------------------

    async def adopt(self, lane: Lane, symbol: str) -> list[Corrected]:
        """Book what the venue holds otherwise of ``symbol``'s assets, as corrections, and let the symbol trade again.

        Raises `NotFound` if no bot of the account trades it, `VenueUnavailable` while things keep moving, and what the
        venue raises.
        """
        seat = next((seat for seat in lane.account.seats.values() if seat.spec.symbol == symbol), None)
        if seat is None:
            raise NotFound("trading.no_such_symbol", symbol=symbol)
        instrument = seat.bot.instrument
        differing = await self._compared_at_rest(lane)
        now = self._loop.now_ms()
        corrections = [
            Corrected(now, one.asset, one.found - one.expected, f"{one.expected} / {one.found}")
            for one in differing
            if one.asset in (held_asset(instrument), instrument.quote)
        ]
        for correction in corrections:
            self._loop.tell(lane, correction)
        lane.differing = ()
        self._loop.tell(lane, Thawed(now, symbol))
        await lane.busy.over()
        return corrections

    async def cancel_foreign(self, lane: Lane, symbol: str, client_id: str) -> OrderReport:
        """Cancel an order that is not ours, by a person's wish; raise `NotFound` if the venue shows none such."""
        open_orders = await lane.venue.open_orders()
        lane.foreign = foreign(open_orders, lane.account.orders)
        if not any(client_id and (one.symbol, one.client_id) == (symbol, client_id) for one in lane.foreign):
            raise NotFound("trading.no_such_foreign", order=client_id, symbol=symbol)
        report = await lane.venue.cancel(symbol, client_id)
        with suppress(CambistError, OSError, TimeoutError):  # it is cancelled; that it is gone shows soon enough
            lane.foreign = foreign(await lane.venue.open_orders(), lane.account.orders)
        return report

    async def _compared_at_rest(self, lane: Lane) -> tuple[HoldingDiffers, ...]:
        for _ in range(ADOPT_TRIES):
            await lane.busy.over()
            differing = await self.compare(lane)
            if differing is not None:
                return differing
            await self._loop.sleep(FIRST_WAIT_S)
        raise VenueUnavailable("trading.moving")


def _is_quiet(lane: Lane) -> bool:
    return lane.busy.idle and all(one.settled or _rests(one) for one in lane.account.orders.values())


def _rests(one: Working) -> bool:
    """Tell whether an order waits at the venue, and all that has filled of it is known."""
    return one.life in (Life.OPEN, Life.PARTLY_FILLED) and one.filled >= one.reported
