"""An exchange without clock or wires: accounts, balances and orders over the fill law (`matching`).

Whoever drives it says what the market does, symbol by symbol: `at_open` when a candle (or a trade) begins, `in_range`
what happened within it. From `at_open` until `in_range` a market is under way: market orders, and limits that it is
beyond, act as they arrive, at the price of the open. From `in_range` until the next `at_open` nobody trades: what
arrives waits, market orders for that open. So a decision on a closed candle acts at the open of the next one, as in a
backtest. Both take the time, which is that of all reports until the next.

Every account has a book of its own on each instrument: accounts do not see one another. A resting buy locks quote
(fee included where fees are in quote), a spot sell locks base, the two legs of an OCO lock once.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Context, Decimal, localcontext
from itertools import count, islice

from cambist.domain.errors import BadInput, NotFound, VenueRefused
from cambist.domain.event import OrderFilled
from cambist.domain.instrument import Instrument, Kind
from cambist.domain.order import Fill, Liquidity, Order, OrderType, Role, Side
from cambist.domain.position import ZERO, Position
from cambist.domain.report import Balance, BalancesReported, FillReport, OrderReport, Report, Status
from cambist.market.holdings import Holdings
from cambist.market.matching import Book, Costs, Filling
from cambist.market.order_rules import (
    judge_level,
    judge_lots,
    judge_pair,
    judge_shape,
    judge_size,
    judge_trigger,
    reduces,
    sells_spot,
)
from cambist.market.seats import Account, Lock, Market, Placed, Seat
from cambist.ports.venue import OrderRequest

Listen = Callable[[str, Report], None]
"""Told (account, report) of all that happens to an account, in order."""

_KEPT = 10_000
"""So many orders of an account that are over are known, and so many of its fills on a symbol: it runs for months."""
_DIGITS = Context(prec=60)  # more than any sum of exact fills needs
_REDUCING = {
    OrderType.MARKET: Role.EXIT,
    OrderType.LIMIT: Role.TAKE_PROFIT,
    OrderType.STOP: Role.STOP_LOSS,
    OrderType.TAKE_PROFIT: Role.TAKE_PROFIT,
}


class Exchange:
    """Accounts that trade ``instruments`` at ``costs``; ``listen`` is told of all that happens to them.

    ``fee_in_base``: the fee of a buy is taken from what was bought (else all fees are in quote). ``by_law``: what the
    fill law takes is taken: a stop that the market is beyond acts at the next price, and what reduces has no minimum
    (else both are refused, as exchanges do). Orders and trades are numbered from ``first_id`` on.
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        costs: Costs | None = None,
        listen: Listen | None = None,
        *,
        fee_in_base: bool = False,
        by_law: bool = False,
        first_id: int = 1,
    ) -> None:
        self._costs = costs or Costs()
        self._listen = listen
        self._fee_in_base = fee_in_base
        self._by_law = by_law
        self._first_id = first_id
        self._markets: dict[str, Market] = {}
        self._accounts: dict[str, Account] = {}
        self._order_ids = count(first_id)
        rates = [Decimal(str(bps)) / 10_000 for bps in (self._costs.maker_fee_bps, self._costs.taker_fee_bps)]
        self._rates = dict(zip((Liquidity.MAKER, Liquidity.TAKER), rates, strict=True))
        self._worst_fee = ZERO if fee_in_base else max(*rates, ZERO)
        self.now_ms = 0
        """The time of what happens now; `at_open` and `in_range` move it on, and so may whoever drives."""
        for one in instruments:
            self.admit(one)

    def admit(self, instrument: Instrument) -> None:
        """Let ``instrument`` be traded; nothing happens if it is already."""
        if instrument.symbol not in self._markets:
            self._markets[instrument.symbol] = Market(instrument, trade_ids=count(self._first_id))

    def admits(self, symbol: str) -> bool:
        """Tell whether ``symbol`` is traded."""
        return symbol in self._markets

    # -- accounts -----------------------------------------------------------------------------------------------------

    def add_account(self, account: str, balances: Mapping[str, Decimal]) -> None:
        """Open an account that holds ``balances``; raise `BadInput` if there is one of that name."""
        if account in self._accounts:
            raise BadInput("account", account, "exchange.account_taken")
        self._accounts[account] = Account(account, Holdings(balances))

    def forget(self, account: str) -> None:
        """Drop an account with its orders, and tell nobody; nothing happens if there is none of this name."""
        own = self._accounts.pop(account, None)
        if own is None:
            return
        for placed in own.open.values():
            placed.seat.book.cancel(placed.order)
            self._watch(placed.seat)
        for kept in (own.orders, own.open, own.fills):  # its seats in the markets outlive it
            kept.clear()

    def resume(
        self,
        account: str,
        balances: Mapping[str, Decimal],
        positions: Mapping[str, Position],
        waiting: Iterable[Sequence[tuple[OrderRequest, Decimal]]],
    ) -> None:
        """Open an account where another run left it; raise `BadInput` if there is one of that name.

        ``positions`` are those in perpetuals, by symbol. ``waiting`` are orders that were accepted, each with what of
        it has filled; two together are the legs of an OCO. They wait for the next price, and nothing is judged anew.
        """
        self.add_account(account, balances)
        own = self._accounts[account]
        for symbol, position in positions.items():
            own.holdings.take(self._market(symbol).instrument, position)
        for legs in waiting:
            seat = self._seat(account, legs[0][0].symbol)
            rules, holdings = seat.market.instrument, own.holdings
            asset = rules.base if sells_spot(rules, legs[0][0]) else rules.quote
            needed = max(self._need(rules, one, one.quantity - filled, one.trigger) for one, filled in legs)
            lock = Lock(asset, max(ZERO, min(needed, holdings.free(asset))))
            holdings.lock(asset, lock.amount)
            placed = [self._place(seat, one, lock) for one, _ in legs]
            if len(placed) > 1:
                placed[0].sibling, placed[1].sibling = placed[1], placed[0]
            for one, (request, filled) in zip(placed, legs, strict=True):
                one.filled = filled
                one.status = Status.PARTLY_FILLED if filled else Status.OPEN
                one.order = replace(one.order, quantity=request.quantity - filled)
                seat.book.submit(one.order)
            self._watch(seat)

    def attach(self, account: str, told: Callable[[Report], None]) -> Callable[[], None]:
        """Tell ``told`` too of all that happens to ``account``; return what ends it. It must not call back in here."""
        own = self._account(account)
        own.told += (told,)

        def detach() -> None:
            own.told = tuple(one for one in own.told if one is not told)

        return detach

    def instrument(self, symbol: str) -> Instrument:
        """Return the rules of ``symbol``; raise `NotFound`."""
        return self._market(symbol).instrument

    def price(self, symbol: str) -> Decimal:
        """Return the last price; raise `NotFound` for a symbol that is not traded, or has not been yet."""
        price = self._market(symbol).price
        if price is None:
            raise NotFound("exchange.no_price", symbol=symbol)
        return Decimal(repr(price))

    def balances(self, account: str) -> dict[str, Balance]:
        """Return what ``account`` holds, by asset; positions in perpetuals under their symbol, negative if short."""
        with localcontext(_DIGITS):
            return self._account(account).holdings.balances()

    def order(self, account: str, symbol: str, client_id: str) -> OrderReport:
        """Return the state of one order, over or not; raise `NotFound`."""
        return self._known(account, symbol, client_id).report()

    def orders(self, account: str, symbol: str) -> list[OrderReport]:
        """Return all orders of ``account`` on ``symbol``, oldest first."""
        placed = self._account(account).orders.values()
        return [one.report() for one in placed if one.request.symbol == symbol]

    def open_orders(self, account: str) -> list[OrderReport]:
        """Return the orders that are not over, oldest first."""
        return [one.report() for one in self._account(account).open.values()]

    def fills(self, account: str, symbol: str, since_ms: int = 0) -> list[FillReport]:
        """Return the fills of ``account`` on ``symbol`` from ``since_ms`` on, oldest first."""
        found = self._account(account).fills.get(self._market(symbol).instrument.symbol, [])
        return found[bisect_left(found, since_ms, key=lambda fill: fill.ts) :]

    # -- orders -------------------------------------------------------------------------------------------------------

    def submit(self, account: str, request: OrderRequest) -> OrderReport:
        """Place one order; raise `VenueRefused` in the exchange's words, or `NotFound` for the symbol."""
        with localcontext(_DIGITS):
            seat = self._seat(account, request.symbol)
            self._judge(seat, request)
            placed = self._place(seat, request, self._locked(seat, request))
            self._accept(placed)
            self._arrived(placed)
            return placed.report()

    def submit_oco(
        self, account: str, list_id: str, stop: OrderRequest, target: OrderRequest
    ) -> tuple[OrderReport, OrderReport]:
        """Place a stop and a take-profit (or limit) of which one fills; raise `VenueRefused` and place neither.

        ``list_id`` is the caller's name for the pair; here the legs are known by their own.
        """
        with localcontext(_DIGITS):
            judge_pair(stop, target)
            seat = self._seat(account, stop.symbol)
            self._judge(seat, stop)
            self._judge(seat, target)
            lock = self._locked(seat, stop, target)
            first, second = (self._place(seat, one, lock) for one in (stop, target))
            first.sibling, second.sibling = second, first
            self._accept(first, second)
            self._arrived(first)
            if not second.status.final:
                self._arrived(second)
            return first.report(), second.report()

    def cancel(self, account: str, symbol: str, client_id: str) -> OrderReport:
        """Take an order back, an OCO's other leg with it; one that is over stays as it is. Raises `NotFound`."""
        with localcontext(_DIGITS):
            placed = self._known(account, symbol, client_id)
            if not placed.status.final:
                for one in (placed, placed.sibling):
                    if one is not None and not one.status.final:
                        self._over(one, Status.CANCELLED)
                self._tell_balances(placed.seat)
                self._watch(placed.seat)
            return placed.report()

    def amend(self, account: str, symbol: str, client_id: str, trigger: Decimal) -> OrderReport:
        """Move the trigger of a resting stop or take-profit; raise `NotFound`, `VenueRefused` if it waits no more."""
        with localcontext(_DIGITS):
            placed = self._known(account, symbol, client_id)
            seat = placed.seat
            waiting = seat.book.waiting.get(client_id)
            if waiting is None or waiting.trigger is None:
                raise VenueRefused("exchange.no_stop", order=client_id)
            judge_level(seat.market.instrument, trigger)
            if not self._by_law:
                judge_trigger(waiting.side, waiting.type, trigger, seat.market.price)
            self._lock_anew(placed, trigger)
            seat.book.amend(waiting, trigger)
            placed.trigger, placed.ts = trigger, self.now_ms
            self._say(seat.account, placed.report())
            if placed.lock.amount:
                self._tell_balances(seat)
            self._watch(seat)
            return placed.report()

    # -- the market moves ---------------------------------------------------------------------------------------------

    def at_open(self, symbol: str, ts: int, price: float, volume: float) -> None:
        """Let a candle (or a trade) begin at ``price``, of which ``volume`` (base) bounds what fills.

        Orders that wait for an open act; from now on the market is under way.
        """
        market = self._move(symbol, ts, price, volume)
        market.under_way = True
        for number in sorted(market.at_open) if market.at_open else ():
            self._open_for(market.seats[number], price, volume)

    def in_range(self, symbol: str, ts: int, bar: tuple[float, float, float, float], volume: float) -> Iterator[None]:
        """Let waiting orders act within ``bar`` (open, high, low, close), one by one, stopping after each.

        What clients submit meanwhile arrives inside the candle. Nobody trades after it until the next `at_open`.
        """
        market = self._move(symbol, ts, bar[0], volume)
        market.under_way = False
        for number in market.sleepers.wake(bar[2], bar[1]):
            yield from self._within(market.seats[number], bar, volume)
        market.price = bar[3]

    def trade(self, symbol: str, ts: int, price: float, volume: float) -> None:
        """Let the market trade at ``price``: what waits for it acts, and the market stays under way."""
        self.at_open(symbol, ts, price, volume)
        for _ in self.in_range(symbol, ts, (price, price, price, price), volume):
            pass
        self._markets[symbol].under_way = True

    def pause(self, symbol: str) -> None:
        """Let nobody trade until the next `at_open`: what arrives waits for it."""
        self._market(symbol).under_way = False

    def _move(self, symbol: str, ts: int, price: float, volume: float) -> Market:
        market = self._market(symbol)
        self.now_ms = max(self.now_ms, ts)
        market.ts, market.price, market.volume = ts, price, volume
        return market

    def _accept(self, *placed: Placed) -> None:
        for one in placed:
            self._say(one.seat.account, one.report())
        if placed[0].lock.amount:
            self._tell_balances(placed[0].seat)

    def _open_for(self, seat: Seat, price: float, volume: float) -> None:
        with localcontext(_DIGITS):
            for order in seat.book.take_at_open():
                placed = seat.account.orders[order.id]
                due = self._bounded(seat, order)
                if due is None:
                    self._over(placed, Status.EXPIRED)
                else:
                    self._came(placed, seat.book.fill_at_open(due, seat.market.ts, price, volume, self._cash(seat)))
            self._watch(seat)

    def _bounded(self, seat: Seat, order: Order) -> Order | None:
        """Return what an order that acts may still do, now that those before it have acted; None if nothing."""
        if seat.market.instrument.kind is not Kind.PERPETUAL or not order.reduces:
            return order
        held = seat.account.holdings.position(seat.market.instrument.symbol).quantity
        if held * order.side.sign >= 0:
            return None
        return order if order.quantity <= abs(held) else replace(order, quantity=abs(held))

    def _within(self, seat: Seat, bar: tuple[float, float, float, float], volume: float) -> Iterator[None]:
        book, market, cash = seat.book, seat.market, self._cash(seat)
        book.begin_candle()
        try:
            while True:
                with localcontext(_DIGITS):  # not over the yield: the caller has a context of its own
                    filling = book.next_in_range(market.ts, bar, volume, cash)
                    if filling is None:
                        return
                    if isinstance(filling, OrderFilled):
                        market.price = float(filling.fill.price)
                    self._came(seat.account.orders[filling.order.id], filling)
                yield
        finally:
            book.end_candle()
            self._watch(seat)

    # -- what becomes of an order -------------------------------------------------------------------------------------

    def _judge(self, seat: Seat, request: OrderRequest) -> None:
        """Raise `VenueRefused` for what breaks the rules; balances are judged by `_locked`."""
        rules, price = seat.market.instrument, seat.market.price
        if request.client_id in seat.account.orders:
            raise VenueRefused("exchange.duplicate", order=request.client_id)
        judge_shape(request)
        judge_lots(rules, request.quantity)
        judge_level(rules, request.price)
        judge_level(rules, request.trigger)
        if rules.kind is Kind.PERPETUAL and request.reduce_only:
            if seat.account.holdings.position(rules.symbol).quantity * request.side.sign >= 0:
                raise VenueRefused("exchange.reduce_only", symbol=rules.symbol)
        elif not (self._by_law and reduces(rules, request)):
            judge_size(rules, request, price)
        if not self._by_law and request.trigger is not None:
            judge_trigger(request.side, request.type, request.trigger, price)

    def _place(self, seat: Seat, request: OrderRequest, lock: Lock) -> Placed:
        """Enter an order that has passed, without letting it act yet."""
        rules, account = seat.market.instrument, seat.account
        quantity = request.quantity
        if rules.kind is Kind.PERPETUAL and request.reduce_only:
            quantity = min(quantity, abs(account.holdings.position(rules.symbol).quantity))
        order = Order(
            id=request.client_id,
            bot=account.name,
            side=request.side,
            type=request.type,
            quantity=quantity,
            role=_REDUCING[request.type] if reduces(rules, request) else Role.ENTRY,
            price=None if request.type is OrderType.MARKET else request.price,
            trigger=request.trigger,
            time_in_force=request.time_in_force,
        )
        placed = Placed(
            request=request,
            venue_id=str(next(self._order_ids)),
            seat=seat,
            order=order,
            lock=lock,
            ts=self.now_ms,
            trigger=request.trigger,
        )
        account.orders[request.client_id] = account.open[request.client_id] = placed
        if len(account.orders) > _KEPT:
            over = (name for name in account.orders if name not in account.open)
            for name in list(islice(over, len(account.orders) - _KEPT)):
                del account.orders[name]
        return placed

    def _arrived(self, placed: Placed) -> None:
        """Let an order that has been accepted act, if the market is under way; else it waits."""
        seat, market = placed.seat, placed.seat.market
        if market.under_way and market.price is not None:
            cash = self._cash(seat)
            filling = seat.book.arrive(placed.order, self.now_ms, market.price, market.volume, cash)
            self._came(placed, filling)
        else:
            seat.book.submit(placed.order)
        self._watch(seat)

    def _came(self, placed: Placed, filling: Filling) -> None:
        """Book what came of an order that acted, and tell of it."""
        if filling is None:
            return
        if isinstance(filling, OrderFilled):
            self._filled(placed, filling.fill, done=filling.done)
        else:
            self._over(placed, Status.EXPIRED)
        if placed.sibling is not None and not placed.sibling.status.final:
            self._over(placed.sibling, Status.EXPIRED)
        if placed.seat.market.instrument.kind is Kind.PERPETUAL:
            self._shrink(placed.seat)
        self._tell_balances(placed.seat)

    def _filled(self, placed: Placed, fill: Fill, *, done: bool) -> None:
        request, seat = placed.request, placed.seat
        rules, holdings = seat.market.instrument, seat.account.holdings
        fee, fee_asset = self._fee(rules, request.side, fill)
        holdings.trade(rules, request.side, fill.quantity, fill.price)
        holdings.pay(fee_asset, fee)
        cost = fill.quantity * fill.price + (fee if fee_asset == rules.quote else ZERO)
        placed.filled += fill.quantity
        placed.spent += cost
        placed.ts = self.now_ms
        placed.status = Status.PARTLY_FILLED
        if done:
            placed.status = Status.FILLED if placed.filled == request.quantity else Status.EXPIRED
            self._relock(placed, ZERO)
            del seat.account.open[request.client_id]
        else:
            needed = self._need(rules, request, request.quantity - placed.filled, placed.trigger)
            if request.cost_limit is not None and not sells_spot(rules, request):
                needed = min(needed, max(ZERO, placed.lock.amount - cost))  # it had locked what there was
            self._relock(placed, needed)
        fills = seat.account.fills.setdefault(request.symbol, [])
        report = FillReport(
            trade_id=str(next(seat.market.trade_ids)),
            client_id=request.client_id,
            symbol=request.symbol,
            side=request.side,
            ts=max(fill.ts, fills[-1].ts) if fills else fill.ts,
            price=fill.price,
            quantity=fill.quantity,
            fee=fee,
            fee_asset=fee_asset,
            liquidity=fill.liquidity,
            venue_id=placed.venue_id,
        )
        fills.append(report)
        if len(fills) > 2 * _KEPT:
            del fills[:-_KEPT]
        self._say(seat.account, report)
        self._say(seat.account, placed.report())

    def _over(self, placed: Placed, status: Status) -> None:
        """End an order that is not over."""
        placed.seat.book.cancel(placed.order)
        placed.status, placed.ts = status, self.now_ms
        del placed.seat.account.open[placed.request.client_id]
        if placed.sibling is None or placed.sibling.status.final:
            self._relock(placed, ZERO)
        self._say(placed.seat.account, placed.report())

    def _shrink(self, seat: Seat) -> None:
        """Let no order that may only reduce outgrow what is held of its perpetual."""
        held = seat.account.holdings.position(seat.market.instrument.symbol).quantity
        for order in [*seat.book.waiting.values(), *seat.book.at_open]:
            if order.reduces and held * order.side.sign >= 0:
                self._over(seat.account.orders[order.id], Status.EXPIRED)
            elif order.reduces and order.quantity > abs(held):
                seat.book.resize(order, abs(held))

    # -- money --------------------------------------------------------------------------------------------------------

    def _locked(self, seat: Seat, *requests: OrderRequest) -> Lock:
        """Lock what an order, or the legs of an OCO together, need; raise `VenueRefused` without balance.

        An entry with a cost limit is cut to what is free when it fills, so it locks no more than there is.
        """
        rules, first, holdings = seat.market.instrument, requests[0], seat.account.holdings
        asset = rules.base if sells_spot(rules, first) else rules.quote
        needed = max(self._need(rules, one, one.quantity, one.trigger) for one in requests)
        free = holdings.free(asset)
        if first.cost_limit is not None and asset == rules.quote:
            needed = max(ZERO, min(needed, first.cost_limit, free))
        elif first.type is OrderType.MARKET and not reduces(rules, first) and seat.market.price is not None:
            # it locks nothing, for it acts at once, but is refused like one that rests
            worth = first.quantity * Decimal(repr(seat.market.price))
            _judge_balance(asset, worth, free + self._freed(seat, first.side))
        _judge_balance(asset, needed, free)
        holdings.lock(asset, needed)
        return Lock(asset, needed)

    def _relock(self, placed: Placed, amount: Decimal) -> None:
        placed.seat.account.holdings.lock(placed.lock.asset, amount - placed.lock.amount)
        placed.lock.amount = amount

    def _lock_anew(self, placed: Placed, trigger: Decimal) -> None:
        """Lock what an order and its other leg need when its trigger moves; raise `VenueRefused` without balance."""
        rules, lock = placed.seat.market.instrument, placed.lock
        legs: list[tuple[Placed, Decimal | None]] = [(placed, trigger)]
        if placed.sibling is not None:
            legs.append((placed.sibling, placed.sibling.trigger))
        needed = max(self._need(rules, leg.request, leg.request.quantity - leg.filled, at) for leg, at in legs)
        free = placed.seat.account.holdings.free(lock.asset) + lock.amount
        if placed.request.cost_limit is not None and not sells_spot(rules, placed.request):
            needed = max(ZERO, min(needed, placed.request.cost_limit, free))
        if needed > lock.amount:
            _judge_balance(lock.asset, needed, free)
        self._relock(placed, needed)

    def _need(self, rules: Instrument, request: OrderRequest, left: Decimal, trigger: Decimal | None) -> Decimal:
        """Return what ``left`` of an order keeps locked."""
        if sells_spot(rules, request):
            return left
        if reduces(rules, request) or request.type is OrderType.MARKET:
            return ZERO
        return left * (request.price or trigger or ZERO) * (1 + self._worst_fee)

    def _cash(self, seat: Seat) -> Callable[[], Decimal]:
        """Return what answers the law: what the acting entry may spend, its own lock and what is free."""
        account, quote = seat.account, seat.market.instrument.quote

        def cash() -> Decimal:
            acting = seat.book.acting
            if acting is None:
                return ZERO
            placed = account.orders[acting.id]
            free = account.holdings.free(quote) + placed.lock.amount + self._freed(seat, acting.side)
            limit = placed.request.cost_limit
            return free if limit is None else min(free, limit - placed.spent)

        return cash

    def _freed(self, seat: Seat, side: Side) -> Decimal:
        """Return what an order on ``side`` frees of quote by closing what is held before it opens the other way."""
        held = seat.account.holdings.position(seat.market.instrument.symbol)
        if held.quantity * side.sign >= 0 or seat.market.price is None:
            return ZERO
        worth = held.entry_price if held.quantity < 0 else min(held.entry_price, Decimal(repr(seat.market.price)))
        return 2 * abs(held.quantity) * worth

    def _fee(self, rules: Instrument, side: Side, fill: Fill) -> tuple[Decimal, str]:
        if not self._takes_base(rules):
            return fill.fee, rules.quote
        rate = self._rates[fill.liquidity]
        if side is Side.BUY:
            return fill.quantity * rate, rules.base
        return fill.quantity * fill.price * rate, rules.quote

    def _takes_base(self, rules: Instrument) -> bool:
        return self._fee_in_base and rules.kind is not Kind.PERPETUAL

    # -- who and where ------------------------------------------------------------------------------------------------

    def _account(self, account: str) -> Account:
        found = self._accounts.get(account)
        if found is None:
            raise NotFound("exchange.no_account", account=account)
        return found

    def _market(self, symbol: str) -> Market:
        found = self._markets.get(symbol)
        if found is None:
            raise NotFound("exchange.no_symbol", symbol=symbol)
        return found

    def _seat(self, account: str, symbol: str) -> Seat:
        own, market = self._account(account), self._market(symbol)
        seat = own.seats.get(symbol)
        if seat is None:
            costs = self._costs
            if self._takes_base(market.instrument):
                costs = replace(costs, maker_fee_bps=0.0, taker_fee_bps=0.0)  # cash pays for the price alone
            seat = own.seats[symbol] = Seat(len(market.seats), own, market, Book(market.instrument, costs))
            market.seats.append(seat)
        return seat

    def _known(self, account: str, symbol: str, client_id: str) -> Placed:
        placed = self._account(account).orders.get(client_id)
        if placed is None or placed.request.symbol != symbol:
            raise NotFound("exchange.no_order", order=client_id, symbol=symbol)
        return placed

    def _watch(self, seat: Seat) -> None:
        """Note at which prices, and whether at the next open, a seat must be asked."""
        book, market = seat.book, seat.market
        market.sleepers.set(seat.number, book.wake_below, book.wake_above)
        if book.at_open:
            market.at_open.add(seat.number)
        else:
            market.at_open.discard(seat.number)

    def _tell_balances(self, seat: Seat) -> None:
        if self._listen is not None or seat.account.told:
            rules = seat.market.instrument
            assets = (rules.symbol if rules.kind is Kind.PERPETUAL else rules.base, rules.quote)
            balances = tuple(seat.account.holdings.balance(asset) for asset in assets)
            self._say(seat.account, BalancesReported(self.now_ms, balances))

    def _say(self, account: Account, report: Report) -> None:
        if self._listen is not None:
            self._listen(account.name, report)
        for told in account.told:
            told(report)


def _judge_balance(asset: str, needed: Decimal, free: Decimal) -> None:
    if needed > free:
        raise VenueRefused("exchange.balance", asset=asset, needed=f"{needed:f}", free=f"{free:f}")
