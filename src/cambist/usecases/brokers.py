"""Brokers: a person's accounts at exchanges; their keys are tried before they are kept, and kept in the vault alone."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches

from cambist.domain.account import AccountSpec, Mode, owned_id
from cambist.domain.broker import ExchangeCard, KeyTest, KnownKey, Right
from cambist.domain.credentials import Credentials
from cambist.domain.errors import BadInput, NotFound, Taken
from cambist.domain.exact import amount
from cambist.domain.record import record
from cambist.ports.book import Lease, Register
from cambist.ports.exchanges import Exchanges, KeyRegister
from cambist.ports.vault import Vault
from cambist.usecases.accounts import account_of, add_account, ask, checked_id

PAPER_MARKETS = ("simulated", "binance")
"""Where paper accounts trade: on a made-up market, or on Binance's real prices."""
_PARTS = tuple(field.name for field in fields(Credentials))
"""What may go with a key: each is a secret of its own."""


@record(kw_only=True)
class Broker:
    """One account as its owner sees it."""

    spec: AccountSpec
    key: KnownKey | None
    """What its key may do; None for paper, and while it has no key."""
    has_key: bool


@record(kw_only=True)
class NewBroker:
    """What somebody wants to add."""

    name: str
    exchange: str
    mode: Mode
    quote: str = "USDT"
    credentials: Credentials | None = None
    deposit: str = "10000"
    """What a paper account begins with."""
    force: bool = False
    """Take a key although it may withdraw."""


@record(kw_only=True)
class EngineLease:
    """What an engine holds while it runs: who takes it knows that none does."""

    lease: Lease
    name: str


@dataclass(slots=True, kw_only=True)
class Brokers:
    """One person's brokers. ``now_ms`` is the time."""

    user_id: int
    register: Register
    keys: KeyRegister
    vault: Vault
    exchanges: Exchanges
    now_ms: Callable[[], int]

    # -- looking ------------------------------------------------------------------------------------------------------

    def all(self) -> list[Broker]:
        """Return the brokers, by id."""
        known = self.keys.keys()
        return [self._broker(spec, known) for spec in self.register.accounts()]

    def one(self, account: str) -> Broker:
        """Return one; raise `NotFound`."""
        return self._broker(account_of(self.register, account), self.keys.keys())

    def _broker(self, spec: AccountSpec, known: Mapping[str, KnownKey]) -> Broker:
        has_key = spec.mode is not Mode.PAPER and self.vault.holds(self.user_id, _record(spec.id), "api_key")
        return Broker(spec=spec, key=known.get(spec.id), has_key=has_key)

    # -- keys ---------------------------------------------------------------------------------------------------------

    async def try_key(self, exchange: str, mode: Mode, credentials: Credentials | None, quote: str) -> KeyTest:
        """Try a key without keeping it; raises `BadInput`, and what the exchange says against it."""
        if mode is Mode.PAPER:
            raise BadInput("mode", mode.value, "brokers.paper_needs_none")
        card = await asyncio.to_thread(self._card, exchange, mode)
        given = _complete(card, credentials)
        return await self.exchanges.test_key(card.id, given, testnet=mode is Mode.TESTNET, quote=quote.upper())

    async def try_again(self, account: str) -> KeyTest:
        """Try the key that is kept, and remember what it may do by now; raise `NotFound` if there is none."""
        spec = await asyncio.to_thread(account_of, self.register, account)
        credentials = await asyncio.to_thread(kept_credentials, self.vault, spec)
        if credentials is None:
            key = "brokers.paper_has_no_key" if spec.mode is Mode.PAPER else "brokers.no_key"
            raise NotFound(key, account=account)
        test = await self.try_key(spec.venue, spec.mode, credentials, spec.quote)
        await asyncio.to_thread(self._remember, spec, test)
        return test

    async def change_key(self, account: str, credentials: Credentials, *, force: bool) -> tuple[KeyTest, int]:
        """Try another key and keep it in place of the old one; an engine that runs is asked to use it.

        Returns what it opens, and the number of that request. The old key stays if the new one is refused.
        """
        spec = await asyncio.to_thread(account_of, self.register, account)
        test = await self.try_key(spec.venue, spec.mode, credentials, spec.quote)
        refuse_if_it_may_withdraw(test, spec.venue, force=force)

        def keep() -> int:
            self._seal(spec, credentials)
            self._remember(spec, test)
            return ask(self.register, spec.user_id, spec.id, "keys", self.now_ms())

        return test, await asyncio.to_thread(keep)

    # -- adding and removing ------------------------------------------------------------------------------------------

    async def add(self, wish: NewBroker) -> tuple[Broker, KeyTest | None]:
        """Add a broker, its key tried and kept; a paper account needs none.

        Raises `BadInput`, `Taken` (the name), and what the exchange says against the key; then nothing is kept.
        """
        name = checked_id("name", wish.name)
        await asyncio.to_thread(self._need_free, name)
        test = None
        if wish.mode is Mode.PAPER:
            self._need_paper_market(wish)
        else:
            test = await self.try_key(wish.exchange, wish.mode, wish.credentials, wish.quote)
            refuse_if_it_may_withdraw(test, wish.exchange, force=wish.force)
        return await asyncio.to_thread(self._keep, name, wish, test), test

    def remove(
        self, account: str, engine: EngineLease, idle: Callable[[AccountSpec], bool], *, force: bool
    ) -> int | None:
        """Remove a broker with all that is kept of it; what is at its exchange stays there.

        Where an engine runs, it is asked to let the account go: returns the number of that request. Else the account is
        gone when this returns None. Raises `BadInput` if it holds something (``idle`` says no), unless forced.
        """
        spec = account_of(self.register, account)
        return remove_account(self.register, spec, engine, self.now_ms(), idle=idle, force=force)

    def _keep(self, name: str, wish: NewBroker, test: KeyTest | None) -> Broker:
        spec = add_account(
            self.register,
            name,
            venue=wish.exchange,
            mode=wish.mode,
            quote=wish.quote,
            deposit=wish.deposit,
            user_id=self.user_id,
        )
        self.vault.forget(self.user_id, _record(spec.id))  # of an account of this name that is gone
        if test is not None and wish.credentials is not None:
            try:
                self._seal(spec, wish.credentials)
                self._remember(spec, test)
            except BaseException:
                self.vault.forget(self.user_id, _record(spec.id))
                self.register.forget_account(spec.id)
                raise
        return self.one(spec.id)

    def _seal(self, spec: AccountSpec, credentials: Credentials) -> None:
        for part in _PARTS:
            value = getattr(credentials, part)
            if value:
                self.vault.seal(self.user_id, _record(spec.id), part, value)
            else:
                self.vault.forget(self.user_id, _record(spec.id), part)

    def _remember(self, spec: AccountSpec, test: KeyTest) -> None:
        told = KnownKey(account=spec.id, user_id=self.user_id, rights=test.rights, tested_ms=self.now_ms())
        self.keys.tested(told)

    # -- what is right ------------------------------------------------------------------------------------------------

    def _need_free(self, name: str) -> None:
        if owned_id(name, self.user_id) in {spec.id for spec in self.register.accounts()}:
            raise Taken("brokers.name_taken", name=name)

    def _need_paper_market(self, wish: NewBroker) -> None:
        if wish.exchange.lower() not in PAPER_MARKETS:
            raise BadInput("exchange", wish.exchange, "brokers.paper_markets", known=", ".join(PAPER_MARKETS))
        if wish.credentials is not None:
            raise BadInput("mode", wish.mode.value, "brokers.paper_needs_none")
        amount("deposit", wish.deposit)

    def _card(self, exchange: str, mode: Mode) -> ExchangeCard:
        """Return the card of an exchange where one can trade in this ``mode``; raise `BadInput`."""
        known = {card.id: card for card in self.exchanges.cards()}
        tradable = [card.id for card in known.values() if card.tradable]
        card = known.get(exchange.lower())
        if card is None or not card.tradable:
            key = "brokers.no_exchange" if card is None else "brokers.only_shown"
            raise BadInput("exchange", exchange, key, known=", ".join(tradable))
        if mode is Mode.TESTNET and not card.testnet:
            others = ", ".join(one.id for one in known.values() if one.testnet)
            raise BadInput("mode", mode.value, "brokers.no_testnet", exchange=card.name, others=others)
        return card


def remove_account(
    register: Register,
    spec: AccountSpec,
    engine: EngineLease,
    now_ms: int,
    *,
    idle: Callable[[AccountSpec], bool] = lambda _: True,
    force: bool = False,
) -> int | None:
    """Remove an account with its keys and all that is kept of it, or ask a running engine to; see `Brokers.remove`."""
    if not engine.lease.take(engine.name):
        return ask(register, spec.user_id, spec.id, "leave", now_ms, force=force)
    try:
        if not force and not idle(spec):
            raise Taken("running.holds", account=spec.id)
        register.forget_account(spec.id)
    finally:
        engine.lease.give_back([engine.name])
    return None


def kept_credentials(vault: Vault, spec: AccountSpec) -> Credentials | None:
    """Return the credentials of an account as the vault keeps them, None if it keeps none."""
    user, place = spec.user_id, _record(spec.id)
    found = {part: vault.open(user, place, part) for part in _PARTS if vault.holds(user, place, part)}
    if "api_key" not in found or "secret" not in found:
        return None
    return Credentials(**found)


def _record(account: str) -> str:
    """Return under which record of the vault an account's keys lie: no other secret's record looks like that."""
    return f"account:{account}"


def near(name: str, known: Iterable[str]) -> str:
    """Return the names that ``name`` may have meant."""
    return ", ".join(get_close_matches(name.lower(), sorted(known), 3)) or "-"


def refuse_if_it_may_withdraw(test: KeyTest, exchange: str, *, force: bool) -> None:
    """Raise `BadInput` for a key that may send money away, unless that is what its owner wants."""
    if test.rights.withdraw is Right.YES and not force:
        raise BadInput("api_key", "***", "brokers.may_withdraw", exchange=exchange)


def _complete(card: ExchangeCard, credentials: Credentials | None) -> Credentials:
    given = credentials or Credentials(api_key="", secret="")
    for part in card.needs:
        if not getattr(given, part):
            raise BadInput(part, "", "venue.credentials", venue=card.name)
    for part in _PARTS:
        if not getattr(given, part).isascii() or (part != "secret" and len(getattr(given, part).split()) > 1):
            raise BadInput(part, "***", "brokers.garbled", venue=card.name)
    return given
