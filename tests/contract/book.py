"""What the suites of the book write: accounts, bots, entries of the journal and of the ledger."""

from decimal import Decimal
from itertools import count
from typing import Any

from cambist.domain.account import AccountSpec, BotSpec, Mode
from cambist.domain.ledger import Cause, LedgerEntry, Line
from cambist.domain.timeframe import Timeframe
from cambist.ports.book import JournalEntry

_numbers = count(1)


def fresh(name: str) -> str:
    """Return an id that nothing has yet in any database of these tests."""
    return f"{name}-{next(_numbers)}"


def an_account(**changes: Any) -> AccountSpec:
    plain: dict[str, Any] = {
        "id": fresh("account"),
        "user_id": 1,
        "venue": "binance",
        "mode": Mode.PAPER,
        "quote": "USDT",
    }
    return AccountSpec(**(plain | changes))


def a_bot(account: str, **changes: Any) -> BotSpec:
    plain: dict[str, Any] = {
        "id": fresh("bot"),
        "user_id": 1,
        "account": account,
        "strategy": "EmaCross",
        "params": {"fast": 10, "share": 0.1},
        "symbol": "BTC/USDT",
        "timeframe": Timeframe.H1,
        "budget": Decimal("1000.10"),
    }
    return BotSpec(**(plain | changes))


def entries(account: str, first: int, last: int, body: str = "{}") -> list[JournalEntry]:
    return [
        JournalEntry(account=account, seq=seq, ts=1_700_000_000_000 + seq, kind="OrderFilled", body=body)
        for seq in range(first, last + 1)
    ]


def a_movement(name: str, *amounts: Decimal, asset: str = "USDT") -> LedgerEntry:
    """Return a balanced ledger entry of ``amounts``."""
    lines = [Line(place=f"bot-{i}", asset=asset, amount=amount) for i, amount in enumerate(amounts)]
    balance = Line(place="market", asset=asset, amount=-sum(amounts, Decimal(0)))
    return LedgerEntry(id=name, ts=1_700_000_000_000, cause=Cause.TRADE, lines=(*lines, balance))
