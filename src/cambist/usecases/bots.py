"""Bots: made, listed, and told to start, stop, suspend, resume or sell."""

from collections.abc import Mapping
from pathlib import Path

from cambist.domain.account import WEBHOOK, AccountSpec, BotSpec, Mode, owned_id
from cambist.domain.errors import BadInput, NotFound
from cambist.domain.exact import amount
from cambist.domain.moment import show_moment
from cambist.domain.strategy_text import parse_stored_name
from cambist.domain.timeframe import Timeframe
from cambist.engine.heartbeat import TIMEFRAMES
from cambist.engine.runners import configured
from cambist.ports.book import Register
from cambist.usecases.accounts import account_of, add_account, ask, checked_id


def add_bot(
    register: Register,
    name: str,
    *,
    account: str,
    strategy: str,
    symbol: str,
    timeframe: Timeframe,
    budget: str,
    params: Mapping[str, str] | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
    pyramiding: int = 1,
    most: int | None = None,
) -> BotSpec:
    """Add a bot and return it; it does nothing until it is started.

    ``most`` is how many bots its person may have. A strategy that a person stored is not looked at here: whoever asks
    knows that it may run. Raises `BadInput`, `BadStrategy`, `NotFound`, `TooMany`.
    """
    owner = account_of(register, account)
    if timeframe not in TIMEFRAMES:
        raise BadInput("timeframe", timeframe, "timeframe.known", known=" ".join(TIMEFRAMES))
    if since_ms is not None and until_ms is not None and until_ms <= since_ms:
        raise BadInput("until_ms", show_moment(until_ms), "download.span", since=show_moment(since_ms))
    spec = BotSpec(
        id=owned_id(checked_id("bot", name), owner.user_id),
        user_id=owner.user_id,
        account=account,
        strategy=_lasting(strategy),
        params=dict(params or {}),
        symbol=_symbol(symbol, owner),
        timeframe=timeframe,
        budget=amount("budget", budget),
        since_ms=since_ms,
        until_ms=until_ms,
        pyramiding=pyramiding,
    )
    if parse_stored_name(spec.strategy) is None and spec.strategy != WEBHOOK:
        configured(spec.strategy, spec.params)  # what is wrong with it is told now, not when it starts
    register.add_bot(spec, most)
    return spec


def bot_of(register: Register, name: str) -> BotSpec:
    """Return the bot called ``name``; raise `NotFound` naming those that there are."""
    known = {spec.id: spec for spec in register.bots()}
    if name not in known:
        raise NotFound("running.unknown_bot", bot=name, known=", ".join(known) or "-")
    return known[name]


def tell_bot(register: Register, name: str, action: str, now_ms: int, *, sell: bool = False) -> int:
    """Ask the engine to ``start``, ``stop``, ``suspend``, ``resume`` or ``sell``; return the request's number."""
    spec = bot_of(register, name)
    return ask(register, spec.user_id, spec.account, action, now_ms, bot=name, sell=sell)


def first_floor(register: Register, venue: str, now_ms: int) -> AccountSpec:
    """Set up a paper account with two bots, and let them start: something to look at. Half of its cash stays free."""
    taken = {spec.id for spec in register.accounts()}
    suffix = "" if venue == "simulated" and "paper" not in taken else f"-{venue}"
    account = add_account(register, f"paper{suffix}", venue=venue, mode=Mode.PAPER)
    for name, strategy, symbol in (("trend", "ema_cross", "BTC/USDT"), ("range", "rsi_reversion", "ETH/USDT")):
        bot = f"{name}{suffix}"
        add_bot(
            register,
            bot,
            account=account.id,
            strategy=strategy,
            symbol=symbol,
            timeframe=Timeframe.M1,
            budget="2500",
        )
        tell_bot(register, bot, "start", now_ms)
    return account


def _lasting(strategy: str) -> str:
    """Return a name that means the same wherever the engine is started."""
    path, colon, name = strategy.partition(":")
    return f"{Path(path).resolve()}{colon}{name}" if Path(path).is_file() else strategy


def _symbol(text: str, owner: AccountSpec) -> str:
    symbol = text.upper()
    base, slash, quote = symbol.partition("/")
    if not slash or not base or quote.partition(":")[0] != owner.quote:
        raise BadInput("symbol", text, "running.symbol", quote=owner.quote)
    return symbol
