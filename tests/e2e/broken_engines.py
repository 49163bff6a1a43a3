"""Engines that break one law each: a drill that lets them pass would be worth nothing."""

import os
from dataclasses import replace
from multiprocessing.process import BaseProcess

from cambist.apps import bootstrap
from cambist.apps.drill.box import context
from cambist.apps.drill.engine import Setup, engine_process
from cambist.domain.errors import OutcomeUnknown
from cambist.domain.ledger import Cause
from cambist.domain.report import OrderReport, Status


class Through:
    """Passes all on to what it stands before."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)


class SendsAgain(Through):
    """Takes no answer for a refusal, as one that retries does."""

    async def submit(self, request):
        try:
            return await self.inner.submit(request)
        except OutcomeUnknown:
            return await self.inner.submit(replace(request, client_id=f"z{request.client_id[1:]}"))


class SendsTwiceAsOne(Through):
    """Sends the same order again under the same id."""

    async def submit(self, request):
        try:
            return await self.inner.submit(request)
        except OutcomeUnknown:
            return await self.inner.submit(request)


class OnlySaysItGuards(Through):
    """Takes guards for placed that never were."""

    def __init__(self, inner):
        super().__init__(inner)
        self.said = {}

    async def submit_oco(self, list_id, stop, target):
        for leg in (stop, target):
            self.said[leg.client_id] = OrderReport(
                client_id=leg.client_id,
                symbol=leg.symbol,
                status=Status.OPEN,
                filled=leg.quantity * 0,
                ts=await self.inner.clock_ms(),
                quantity=leg.quantity,
                trigger=leg.trigger,
            )
        return self.said[stop.client_id], self.said[target.client_id]

    async def order(self, symbol, client_id):
        return self.said.get(client_id) or await self.inner.order(symbol, client_id)

    async def open_orders(self, symbols=()):
        return [*await self.inner.open_orders(symbols), *self.said.values()]


class LeavesOutALine(Through):
    """Books no fill but the first."""

    def append(self, entries, ledger=()):
        kept = [one for one in ledger if one[1].cause is not Cause.TRADE or "|1|" in one[1].id]
        self.inner.append(entries, kept)


VENUES = {"sends again": SendsAgain, "sends twice": SendsTwiceAsOne, "does not guard": OnlySaysItGuards}


def broken_process(setup: Setup, how: str) -> None:
    if how in VENUES:
        drilled = bootstrap.drilled

        def broken(*arguments, **named):
            venue, *market = drilled(*arguments, **named)
            return VENUES[how](venue), *market

        bootstrap.drilled = broken
    elif how == "leaves out a line":
        journal = bootstrap.journal
        bootstrap.journal = lambda settings=None: LeavesOutALine(journal(settings))
    elif how == "crashes before its time" and setup.kill is not None:
        bootstrap.drilled = lambda *_, **__: os.abort()
    elif how == "falls":
        bootstrap.drilled = None  # type: ignore[assignment]
    engine_process(setup)


def start_broken(how: str):
    """Return what starts engines that are broken in this way."""

    def start(setup: Setup) -> BaseProcess:
        process: BaseProcess = context().Process(  # type: ignore[attr-defined]
            target=broken_process, args=(setup, how), daemon=True
        )
        process.start()
        return process

    return start
