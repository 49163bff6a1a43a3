"""One account at an exchange that ccxt knows (`cambist.ports.venue.Venue`)."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import partial
from itertools import product
from typing import Any

from cambist.adapters.venues.ccxt import parse
from cambist.adapters.venues.ccxt.errors import DUPLICATE
from cambist.adapters.venues.ccxt.fills import complete_fills
from cambist.adapters.venues.ccxt.line import Line
from cambist.adapters.venues.ccxt.place import Place
from cambist.adapters.venues.ccxt.quirks import ID, Pairs, filled_in
from cambist.adapters.venues.ccxt.streams import watch_reports
from cambist.domain.credentials import Credentials
from cambist.domain.errors import NotFound, OutcomeUnknown, VenueRefused, VenueUnavailable
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.order import OrderType, Side, TimeInForce
from cambist.domain.report import Balance, FillReport, OrderReport, Report
from cambist.market.budget import Urgency
from cambist.ports.venue import OrderRequest

_REMEMBERED = 20_000
_SEARCHED_PAGES, _SEARCHED_PAGE = 20, 100
_COLLAR = Decimal("0.02")  # how far a market order that must go as a limit reaches


class CcxtVenue:
    """One account over an exchange that it shares with others. ``submit``, ``cancel`` and ``amend`` never ask twice
    for what may have happened: whatever leaves that open is `OutcomeUnknown`.
    """

    def __init__(self, account_id: str, place: Place, credentials: Credentials) -> None:
        self.account_id = account_id
        self.name = place.name
        self.traits = place.quirks.traits()
        self._place = place
        self._quirks = place.quirks
        self._line = Line(place, credentials)
        self._view = self._line.view
        self._client_ids: OrderedDict[str, str] = OrderedDict()  # by the venue's own id
        self._venue_ids: OrderedDict[str, str] = OrderedDict()

    async def instruments(self, symbols: Iterable[str]) -> dict[str, Instrument]:
        """Return the rules of ``symbols``, spot pairs all.

        Raises `NotFound` for one that the venue does not have, `VenueRefused` for a perpetual.
        """
        return {symbol: await self._rules(symbol) for symbol in symbols}

    async def submit(self, request: OrderRequest) -> OrderReport:
        """Place one order and return the venue's word on it."""
        urgency = Urgency.ORDER if request.type in (OrderType.MARKET, OrderType.LIMIT) else Urgency.PROTECTIVE
        if request.reduce_only:
            urgency = Urgency.PROTECTIVE
        try:
            arguments = await self._line.before(lambda: self._arguments(request, urgency))
            answer = await self._line.act(lambda: self._view.create_order(*arguments), urgency, orders=1)
        except NotFound as error:
            raise VenueRefused(error.key, **error.params) from error
        except OutcomeUnknown as error:
            if error.key != DUPLICATE:
                raise
            try:
                return await self._after(request.symbol, request.client_id)
            except NotFound:
                raise error from None
        return await self._accepted(answer, request, urgency)

    async def submit_oco(
        self, list_id: str, stop: OrderRequest, target: OrderRequest
    ) -> tuple[OrderReport, OrderReport]:
        """Place a stop and a take-profit of which one fills: both or none. Only where ``traits.oco``."""
        if self._quirks.oco is None:
            raise VenueRefused("venue.no_oco", venue=self.name)
        market = await self._line.before(lambda: self._market(stop.symbol))
        method, params = self._quirks.oco(market["id"], list_id, stop, target)
        answer = await self._line.act(lambda: getattr(self._view, method)(params), Urgency.PROTECTIVE, orders=2)
        legs = {
            leg["clientOrderId"]: leg
            for leg in (self._view.parse_order(raw, market) for raw in answer.get("orderReports") or ())
        }
        if not {stop.client_id, target.client_id} <= set(legs):
            raise OutcomeUnknown("venue.outcome_unknown", venue=self.name, detail=str(answer)[:80])
        return (
            await self._accepted(legs[stop.client_id], stop, Urgency.PROTECTIVE),
            await self._accepted(legs[target.client_id], target, Urgency.PROTECTIVE),
        )

    async def cancel(self, symbol: str, client_id: str) -> OrderReport:
        """Take an order back and return the venue's word on it, final or not; raise `NotFound` if it knows none."""
        await self._line.before(lambda: self._market(symbol))
        refused: VenueRefused | None = None
        for venue_id, params in await self._cancellations(symbol, client_id):
            try:
                answer = await self._line.act(
                    partial(self._view.cancel_order, venue_id, symbol, params), Urgency.CANCEL
                )
            except NotFound:
                continue
            except VenueRefused as error:
                refused = error  # too late, perhaps: what became of it says more than the refusal
                break
            if self._quirks.cancel_tells and parse.says_all(answer):
                report = parse.order_report(self._quirks, answer, self._place.now_ms())
                if report.status.final and report.client_id == client_id:
                    return report
            break
        report = await self._after(symbol, client_id)
        if refused is not None and not report.status.final:
            raise refused
        return report

    async def amend(self, symbol: str, client_id: str, trigger: Decimal) -> OrderReport:
        """Move the trigger of a resting stop. Only where ``traits.amend``."""
        if self._quirks.amend is None:
            raise VenueRefused("venue.no_amend", venue=self.name)
        market = await self._line.before(lambda: self._market(symbol))
        method, params = self._quirks.amend(market["id"], client_id, f"{trigger:f}")
        await self._line.act(lambda: getattr(self._view, method)(params), Urgency.PROTECTIVE)
        return await self._after(symbol, client_id)

    async def order(self, symbol: str, client_id: str) -> OrderReport:
        """Return the venue's word on one order, final ones included; raise `NotFound` if it knows none."""
        return await self._order(symbol, client_id, Urgency.ACCOUNT)

    async def open_orders(self, symbols: Iterable[str] = ()) -> list[OrderReport]:
        """Return all orders that are not over, or those of ``symbols`` where they are cheaper to ask for."""
        found: dict[str, OrderReport] = {}
        asked: Iterable[str | None] = (self._quirks.cheaper_by_symbol and tuple(symbols)) or (None,)
        for pairs, symbol in product(self._quirks.open_orders, asked):
            params = dict(pairs)
            limit = params.pop("limit", None)
            answer = await self._line.ask(
                partial(self._view.fetch_open_orders, symbol, None, limit, params), Urgency.ACCOUNT
            )
            if self._quirks.open_page is not None and len(answer) >= self._quirks.open_page:
                raise VenueRefused("venue.too_many_open", venue=self.name, count=len(answer))
            for order in answer:
                report = self._noted(parse.order_report(self._quirks, order, self._place.now_ms()))
                found[report.venue_id or report.client_id] = report
        return list(found.values())

    async def fills(self, symbol: str, since_ms: int) -> list[FillReport]:
        """Return this account's fills on ``symbol`` from ``since_ms`` on, oldest first, complete."""
        pages = self._quirks.fills

        async def page(since: int | None, until: int | None) -> list[dict[str, Any]]:
            answer: list[dict[str, Any]] = await self._line.ask(
                lambda: self._view.fetch_my_trades(
                    symbol if pages.by_symbol else None,
                    None if since is None else max(0, since - pages.lead_ms),
                    pages.size if pages.sends_size else None,
                    {} if until is None else {"until": until},
                ),
                Urgency.ACCOUNT,
            )
            return answer

        await self._place.ready((symbol,))
        trades = await complete_fills(pages, page, since_ms, self._place.now_ms(), self.name)
        await self._learn_owners(trades)
        return [
            parse.fill_report(self._quirks, trade, await self._owner(trade))
            for trade in trades
            if trade["symbol"] == symbol
        ]

    async def balances(self) -> dict[str, Balance]:
        """Return what the account holds, by asset."""
        params = dict(self._quirks.balances)
        return parse.balances(await self._line.ask(lambda: self._view.fetch_balance(params), Urgency.ACCOUNT))

    async def price(self, symbol: str) -> Decimal:
        """Return the last traded price."""
        return await self._price(symbol, Urgency.MARKET)

    async def clock_ms(self) -> int:
        """Return the venue's time."""
        await self._place.ready()
        return await self._place.clock_ms()

    async def reports(self) -> AsyncIterator[Report]:
        """Yield what the venue pushes; where it pushes nothing, what asking shows."""
        stream = watch_reports(self, self._place, self._view, self.noted)
        try:
            async for report in stream:
                yield report
        finally:
            await stream.aclose()

    def noted(self, order: dict[str, Any]) -> OrderReport:
        """Return an order that the venue pushed as a report, with our id if we know which it is."""
        return self._noted(parse.order_report(self._quirks, order, self._place.now_ms()))

    async def filled(self, trade: dict[str, Any]) -> FillReport:
        """Return a fill that the venue pushed as a report."""
        return parse.fill_report(self._quirks, trade, await self._owner(trade))

    async def close(self) -> None:
        """Close this account's sockets; orders stay at the venue, and the exchange to the others."""
        await self._view.close_ws_clients()
        self._view.session = None

    # how an order is put

    async def _arguments(self, request: OrderRequest, urgency: Urgency) -> tuple[Any, ...]:
        quirks = self._quirks
        await self._check_steps(request)
        params: dict[str, Any] = dict(quirks.with_orders) | dict.fromkeys(quirks.client_id, request.client_id)
        kind, price = request.type.value, request.price
        if request.type in (OrderType.STOP, OrderType.TAKE_PROFIT):
            if quirks.stop is None:
                raise VenueRefused("venue.no_stops", venue=self.name)
            assert request.trigger is not None
            params |= filled_in(quirks.stop.params, request.client_id)
            name = quirks.stop.loss if request.type is OrderType.STOP else quirks.stop.profit
            params[name] = f"{request.trigger:f}"
            kind = "market"
            if quirks.stop.limit_slack is not None:
                kind, price = "limit", await self._beyond(request, request.trigger, quirks.stop.limit_slack)
        elif request.type is OrderType.MARKET and request.side is Side.BUY and not quirks.market_buys:
            kind, price = "limit", await self._beyond(request, await self._price(request.symbol, urgency), _COLLAR)
            params["timeInForce"] = "IOC"
        elif request.time_in_force is TimeInForce.IOC and request.type is OrderType.LIMIT:
            params["timeInForce"] = "IOC"
        return (
            request.symbol,
            kind,
            request.side.value,
            f"{request.quantity:f}",
            None if price is None else f"{price:f}",
            params,
        )

    async def _check_steps(self, request: OrderRequest) -> None:
        """Raise `VenueRefused` for what ccxt would round on its way: the order would be another than was journaled."""
        rules = await self._rules(request.symbol)
        told = {"venue": self.name, "symbol": request.symbol, "lot": rules.lot_step, "tick": rules.tick_size}
        if request.quantity <= 0 or request.quantity % rules.lot_step:
            raise VenueRefused("venue.off_step", what=request.quantity, **told)
        for price in (request.price, request.trigger):
            if price is not None and (price <= 0 or price % rules.tick_size):
                raise VenueRefused("venue.off_step", what=price, **told)

    async def _beyond(self, request: OrderRequest, price: Decimal, slack: Decimal) -> Decimal:
        """Return a limit that lies ``slack`` beyond ``price``, in whole ticks."""
        tick = (await self._rules(request.symbol)).tick_size
        away = price * (1 + request.side.sign * slack)
        towards = ROUND_CEILING if request.side is Side.BUY else ROUND_FLOOR
        return max(tick, (away / tick).to_integral_value(towards) * tick)

    async def _accepted(self, answer: dict[str, Any], request: OrderRequest, urgency: Urgency) -> OrderReport:
        """Return the venue's word on an order that it has just taken."""
        if not (answer.get("id") or answer.get("clientOrderId")):
            raise OutcomeUnknown("venue.outcome_unknown", venue=self.name, detail=str(answer.get("info"))[:80])
        said = parse.order_report(self._quirks, answer, self._place.now_ms())
        report = replace(
            said,
            client_id=request.client_id,
            symbol=request.symbol,
            side=request.side,
            type=request.type,
            quantity=request.quantity,
            price=request.price,
            trigger=request.trigger,
        )
        self._noted(report)
        if report.status.final and answer.get("filled") is None:
            try:
                return await self._order(request.symbol, request.client_id, urgency)
            except (VenueUnavailable, NotFound) as error:
                raise OutcomeUnknown("venue.outcome_unknown", venue=self.name, detail=error) from error
        return report

    async def _cancellations(self, symbol: str, client_id: str) -> list[tuple[str | None, dict[str, Any]]]:
        if self._quirks.cancel:
            return [(None, filled_in(pairs, client_id)) for pairs in self._quirks.cancel]
        venue_id = self._venue_ids.get(client_id)
        if venue_id is None:
            report = await self._line.before(lambda: self._order(symbol, client_id, Urgency.CANCEL))
            venue_id = report.venue_id
        return [(venue_id, {})]

    # how an order is found

    async def _order(self, symbol: str, client_id: str, urgency: Urgency) -> OrderReport:
        await self._market(symbol)
        known = self._venue_ids.get(client_id)
        for method, pairs in self._quirks.ask:
            by_our_id = any(value == ID for _, value in pairs)
            try:
                if known is not None and not by_our_id:
                    order = await self._by_venue_id(symbol, known, urgency)
                elif method == "fetch_order":
                    asked = filled_in(pairs, client_id)
                    order = await self._line.ask(partial(self._view.fetch_order, None, symbol, asked), urgency)
                else:
                    order = await self._searched(method, symbol, pairs, client_id, urgency)
            except NotFound:
                continue
            if order.get("status") is None:
                raise VenueUnavailable("venue.unavailable", venue=self.name, detail=str(order.get("info"))[:80])
            report = parse.order_report(self._quirks, order, self._place.now_ms())
            if report.client_id in ("", client_id):
                return self._noted(_named(report, client_id, symbol))
        raise NotFound("venue.order_unknown", venue=self.name, order=client_id)

    async def _searched(
        self, method: str, symbol: str, pairs: Pairs, client_id: str, urgency: Urgency
    ) -> dict[str, Any]:
        """Return the order of ``client_id`` out of a list, gone through page by page from the newest on."""
        params = filled_in(pairs, client_id)
        by_our_id = client_id in params.values()
        until: int | None = None
        for _ in range(_SEARCHED_PAGES):
            more = {} if until is None else {"until": until}
            limit = None if by_our_id else _SEARCHED_PAGE
            page: list[dict[str, Any]] = await self._line.ask(
                partial(getattr(self._view, method), symbol, None, limit, params | more), urgency
            )
            for order in page:
                if parse.client_id_of(self._quirks, order) == client_id:
                    return order
            oldest = min((order["timestamp"] or 0 for order in page), default=0)
            if by_our_id or len(page) < _SEARCHED_PAGE or oldest == until:
                raise NotFound("venue.order_unknown", venue=self.name, order=client_id)
            until = oldest
        raise VenueUnavailable("venue.search_too_long", venue=self.name, order=client_id)

    async def _by_venue_id(self, symbol: str, venue_id: str, urgency: Urgency) -> dict[str, Any]:
        params = dict(self._quirks.ask_by_venue_id)
        order: dict[str, Any] = await self._line.ask(lambda: self._view.fetch_order(venue_id, symbol, params), urgency)
        return order

    async def _learn_owners(self, trades: list[dict[str, Any]]) -> None:
        """Ask at once for all orders of ``trades`` that we do not know, where the venue can be asked for several."""
        count = self._quirks.asked_at_once
        told = (str(trade.get("order") or "") for trade in trades if not parse.client_id_of(self._quirks, trade))
        unknown = [name for name in dict.fromkeys(told) if name and name not in self._client_ids]
        for first in range(0, len(unknown) if count > 1 else 0, count or 1):
            names = unknown[first : first + count]
            for order in await self._line.ask(partial(self._view.fetch_orders_by_ids, names), Urgency.ACCOUNT):
                self._remember(str(order["id"]), parse.client_id_of(self._quirks, order))

    async def _owner(self, trade: dict[str, Any]) -> str:
        """Return the client id of the order that ``trade`` filled; empty if it had none."""
        said = parse.client_id_of(self._quirks, trade)
        venue_id = str(trade.get("order") or "")
        if said or not venue_id:
            return said
        if venue_id not in self._client_ids:
            try:
                order = await self._by_venue_id(trade["symbol"], venue_id, Urgency.ACCOUNT)
            except NotFound:
                return ""  # for now: it may only be slow to show
            if not order.get("id"):
                return ""
            self._remember(venue_id, parse.client_id_of(self._quirks, order))
        return self._client_ids[venue_id]

    def _noted(self, report: OrderReport) -> OrderReport:
        if report.venue_id and report.client_id:
            self._remember(report.venue_id, report.client_id)
        elif report.venue_id in self._client_ids:
            return _named(report, self._client_ids[report.venue_id], report.symbol)
        return report

    def _remember(self, venue_id: str, client_id: str) -> None:
        self._client_ids[venue_id] = client_id
        if client_id:
            self._venue_ids[client_id] = venue_id
        for known in (self._client_ids, self._venue_ids):
            if len(known) > _REMEMBERED:
                known.popitem(last=False)

    async def _rules(self, symbol: str) -> Instrument:
        rules = await self._place.instrument(symbol)
        if rules.kind is not Kind.SPOT:  # ccxt counts contracts, not base currency; nobody here asks for funding
            raise VenueRefused("venue.no_perpetuals", venue=self.name, symbol=symbol)
        return rules

    async def _market(self, symbol: str) -> dict[str, Any]:
        await self._place.ready((symbol,))
        market: dict[str, Any] | None = self._place.exchange.markets.get(symbol)
        if market is None:
            raise NotFound("venue.symbol_unknown", venue=self.name, symbol=symbol)
        return market

    async def _price(self, symbol: str, urgency: Urgency) -> Decimal:
        await self._market(symbol)
        ticker = await self._place.ask(lambda: self._place.exchange.fetch_ticker(symbol), urgency)
        last = parse.number(ticker.get("last"))
        if last is None:
            raise VenueUnavailable("venue.no_price", venue=self.name, symbol=symbol)
        return last

    async def _after(self, symbol: str, client_id: str) -> OrderReport:
        """Return the word on an order that was just changed; if it cannot be had, its state is unknown."""
        try:
            return await self._order(symbol, client_id, Urgency.CANCEL)
        except (VenueUnavailable, VenueRefused) as error:
            raise OutcomeUnknown("venue.outcome_unknown", venue=self.name, detail=error) from error


def _named(report: OrderReport, client_id: str, symbol: str) -> OrderReport:
    return replace(report, client_id=client_id, symbol=report.symbol or symbol)
