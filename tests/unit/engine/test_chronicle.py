"""What a bot did, read out of a journal written by the desk itself."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from cambist.domain.account import AccountSpec, BotSpec, BotStatus, Mode
from cambist.domain.event import (
    AccountEvent,
    BotAdded,
    BotChanged,
    Decided,
    FillReported,
    Opened,
    OrderLost,
    OrderReported,
    Seen,
)
from cambist.domain.instrument import Instrument
from cambist.domain.order import Liquidity, Side
from cambist.domain.report import Balance, BalancesReported, FillReport, OrderReport, Status
from cambist.domain.request import Traits
from cambist.domain.timeframe import Timeframe
from cambist.domain.wish import Enter, Exit, Fraction
from cambist.engine.account import Account
from cambist.engine.chronicle import Chronicle, decision_of, read
from cambist.engine.desk import step
from cambist.engine.recovery import body_of
from cambist.ports.book import JournalEntry

HOUR = 3_600_000
TRAITS = Traits(stops=True, oco=True, cuts_to_cash=True)
SPEC = AccountSpec(id="a", user_id=1, venue="x", mode=Mode.PAPER, quote="B")
RULES = Instrument(venue="x", symbol="A/B", tick_size=Decimal("0.01"), lot_step=Decimal("0.01"))
BUY = Enter(side=Side.BUY, size=Fraction(0.5))


def bot(name: str = "bot") -> BotSpec:
    return BotSpec(
        id=name,
        user_id=1,
        account="a",
        strategy="s",
        params={},
        symbol="A/B",
        timeframe=Timeframe.H1,
        budget=Decimal(1_000),
    )


class Written:
    """A journal in memory, written as the engine writes it."""

    def __init__(self) -> None:
        self.account = Account(SPEC, TRAITS)
        self.entries: list[JournalEntry] = []
        self.tell(0, Opened(BalancesReported(0, (Balance("B", Decimal(5_000), Decimal(0)),))))
        self.tell(0, BotAdded(0, bot(), RULES))
        self.tell(0, BotChanged(0, "bot", BotStatus.RUNNING))

    def tell(self, at_ms: int, event: AccountEvent) -> list:
        commands = step(self.account, event).commands
        self.entries.append(
            JournalEntry(
                account="a",
                seq=len(self.entries) + 1,
                ts=at_ms,
                kind=type(event).__name__,
                body=body_of(event, commands),
            )
        )
        return commands

    def read(self, account: str, after_seq: int = 0) -> Iterator[JournalEntry]:
        return iter(self.entries[after_seq:])

    def decide(self, hour: int, *wishes, name: str = "bot"):
        """Let the strategy decide on the candle of ``hour``; return the client id of the order that leaves."""
        close = (hour + 1) * HOUR
        self.tell(close, Seen(close, (("A/B", Decimal(100)),), venue_ready=True))
        commands = self.tell(close, Decided(name, hour * HOUR, 100.0, wishes))
        return commands[0].request if commands else None

    def fill(self, request, hour: int, price: str, *, share: str = "1", trade_id: str = "", fee: str = "0.1") -> None:
        quantity = request.quantity * Decimal(share)
        ts = hour * HOUR + 5
        fill = FillReport(
            trade_id=trade_id or request.client_id,
            client_id=request.client_id,
            symbol="A/B",
            side=request.side,
            ts=ts,
            price=Decimal(price),
            quantity=quantity,
            fee=Decimal(fee),
            fee_asset="B",
            liquidity=Liquidity.TAKER,
        )
        self.tell(ts, FillReported(fill))

    def say(self, request, status: Status, filled: str = "0", reason: str = "") -> None:
        report = OrderReport(
            client_id=request.client_id,
            symbol="A/B",
            status=status,
            filled=Decimal(filled),
            ts=self.account.now_ms,
            reason=reason,
        )
        self.tell(self.account.now_ms, OrderReported(report))

    def told(self, name: str = "bot") -> Chronicle:
        return read(Account(SPEC, TRAITS), name, self)  # type: ignore[arg-type]


def test_a_trade_with_its_decision_and_its_fills():
    written = Written()
    request = written.decide(1, BUY)
    written.fill(request, 2, "100", share="0.5", trade_id="1")
    written.fill(request, 2, "101", share="0.5", trade_id="2")
    out = written.decide(4, Exit())
    written.fill(out, 5, "110")
    told = written.told()
    (deal,) = told.deals
    assert (deal.trade.entry_price, deal.trade.exit_price) == (Decimal("100.5"), Decimal(110))
    course = deal.course
    assert (course.decided_ts, course.fills_in, course.fills_out) == (HOUR, 2, 1)
    assert (course.in_ms, course.out_ms) == (5, 5)
    assert course.cut is None
    assert course.ended_by is None
    assert course.fee_assets == {"B"}
    assert told.differs == 0


def test_every_trade_is_there_not_the_last_ones_alone():
    written = Written()
    for number in range(230):
        written.fill(written.decide(4 * number, BUY), 4 * number + 1, "100", fee="0")
        written.fill(written.decide(4 * number + 2, Exit()), 4 * number + 3, "100", fee="0")
    assert len(written.account.seats["bot"].state.trades) == 200
    assert len(written.told().deals) == 230


def test_a_fill_that_is_told_twice_counts_once():
    written = Written()
    request = written.decide(1, BUY)
    written.fill(request, 2, "100")
    written.fill(request, 2, "100")
    assert written.told().course.fills_in == 1


def test_an_entry_that_was_cut_is_told():
    written = Written()
    request = written.decide(1, BUY)
    written.fill(request, 2, "100", share="0.2")
    written.say(request, Status.CANCELLED, "1")
    written.fill(written.decide(3, Exit()), 4, "100")
    cut = written.told().deals[0].course.cut
    assert cut is not None
    assert dict(cut.params) == {"filled": "1.000", "asked": "5.00"}


def test_what_a_person_decides_is_told_from_the_strategy():
    written = Written()
    written.fill(written.decide(1, BUY), 2, "100")
    now = 3 * HOUR + 1_234
    sold = written.tell(now, Decided("bot", now, 100.0, (Exit(),)))[0].request
    written.fill(sold, 3, "99")
    told = written.told()
    assert list(told.wishes) == [HOUR]
    assert told.by_hand == {now}
    ended_by = told.deals[0].course.ended_by
    assert ended_by is not None
    assert ended_by.key == "parity.why.by_hand"


def test_why_entries_came_to_nothing():
    written = Written()
    refused = written.decide(1, BUY)
    written.say(refused, Status.REFUSED, reason="not today")
    lost = written.decide(3, BUY)
    written.tell(4 * HOUR, OrderLost(lost.client_id, 4 * HOUR))
    assert written.decide(5, BUY) is None  # the one before may still fill
    written.say(lost, Status.EXPIRED)
    written.tell(8 * HOUR, BotChanged(8 * HOUR, "bot", BotStatus.SUSPENDED))
    assert written.decide(8, BUY) is None
    told = written.told()
    assert {ts // HOUR: reason.said for ts, reason in told.nothing.items()} == {
        1: "the venue refused the entry: not today",
        3: "the entry expired at the venue without a fill",
        5: "the entry was refused: a position is held already",
        8: "the bot was suspended by a person",
    }
    assert told.course.lost


def test_an_entry_that_waits_is_taken_back_when_a_person_stops_the_bot():
    written = Written()
    waiting = written.decide(1, replace(BUY, limit=90.0))
    written.say(waiting, Status.OPEN)
    written.tell(3 * HOUR, BotChanged(3 * HOUR, "bot", BotStatus.STOPPED))
    told = written.told()
    assert told.nothing[HOUR].key == "parity.why.taken_back"
    assert told.statuses == [(0, BotStatus.RUNNING), (3 * HOUR, BotStatus.STOPPED)]


def test_other_bots_of_the_account_are_left_out():
    written = Written()
    written.tell(0, BotAdded(0, bot("other"), RULES))
    written.tell(0, BotChanged(0, "other", BotStatus.RUNNING))
    written.fill(written.decide(1, BUY, name="other"), 2, "100")
    told = written.told()
    assert told.wishes == {}
    assert told.course.fills_in == 0
    assert written.told("other").course.fills_in == 1
    assert written.told("nobody").spec is None


def test_a_journal_that_would_come_out_otherwise_is_noticed():
    written = Written()
    written.decide(1, BUY)
    last = written.entries[-1]
    written.entries[-1] = replace(last, body=last.body.replace('"5.00"', '"4.00"'))
    assert written.entries[-1] != last
    assert written.told().differs == last.seq


def test_the_decision_behind_an_order():
    assert decision_of("my|bot|1700000000000|entry0") == 1_700_000_000_000
    assert decision_of("bot|17|entry1|stop_loss|0.5") == 17
    assert decision_of("bot|17|exit") == 17
