"""What the live view knows: gathered from the bus, message by message, and nothing else."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from cambist.domain.errors import CambistError
from cambist.domain.signal import Signal
from cambist.domain.standing import AccountStanding, BotStanding
from cambist.domain.timeframe import Timeframe
from cambist.domain.wire import codec
from cambist.ports.bus import ALERTS, CANDLES, HEARTBEAT, Delivery

CLOSES = 240
"""How many closes a market keeps."""
_POINTS = 256
_ALERTS = 50
_KNOWN = 1_000
_SAMPLE_S = 0.5
_SAMPLES = 40

_read_standing = codec(AccountStanding)[1]


@dataclass(slots=True)
class Market:
    """What is known of one symbol on one venue: the closes of its shortest candles."""

    symbol: str
    timeframe: Timeframe
    ts: int = 0
    """Open time of the last candle (ms)."""
    price: Decimal = Decimal(0)
    closes: deque[float] = field(default_factory=lambda: deque(maxlen=CLOSES))

    @property
    def close_ms(self) -> int:
        """When ``price`` was the price."""
        return self.timeframe.close_of(self.ts)


@dataclass(slots=True)
class Beat:
    """What was heard of the heartbeat."""

    signal_id: str = ""
    symbol: str = ""
    heard_s: float = 0.0
    received_ms: int = 0
    signals: int = 0
    repaired: int = 0
    shortest_ms: int = 0
    samples: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_SAMPLES))
    """(our second, the market's millisecond), half a second apart or more."""

    def take(self, signal: Signal, now_s: float) -> None:
        """Take in one signal, heard at second ``now_s``."""
        self.signal_id, self.symbol, self.heard_s = signal.signal_id, signal.symbol, now_s
        self.received_ms = max(self.received_ms, signal.received_ms)
        self.signals += 1
        self.repaired += signal.repaired
        length = signal.timeframe.ms
        self.shortest_ms = min(self.shortest_ms or length, length)
        if self.samples and now_s - self.samples[-1][0] < _SAMPLE_S:
            self.samples[-1] = (self.samples[-1][0], self.received_ms)
        else:
            self.samples.append((now_s, self.received_ms))

    @property
    def speed(self) -> float | None:
        """Return how many times as fast as ours the market's time goes; None as long as that cannot be told."""
        # the first sample may hold a backlog: what was there before we listened came at no speed at all
        known = list(self.samples)[1:]
        if len(known) < 2 or known[-1][0] - known[0][0] < 2.0:
            return None
        (begun_s, begun_ms), (ended_s, ended_ms) = known[0], known[-1]
        return (ended_ms - begun_ms) / 1_000 / (ended_s - begun_s)

    def silent(self, now_s: float) -> bool:
        """Tell whether nothing has come for longer than three of the shortest candles."""
        if not self.signals:
            return False
        return now_s - self.heard_s > 5.0 + 3 * self.shortest_ms / 1_000 / max(self.speed or 1.0, 0.001)

    def market_ms(self, now_s: float) -> int:
        """Return about what time it is in the market (ms); 0 if nothing was heard."""
        gone_ms = (now_s - self.heard_s) * 1_000 * (self.speed or 1.0)
        return self.received_ms + round(min(max(gone_ms, 0.0), self.shortest_ms)) if self.signals else 0


@dataclass(slots=True)
class ViewState:
    """All that is shown. ``now_s`` is our own second, from any origin: whoever shows moves it on."""

    title: str = ""
    now_s: float = 0.0
    accounts: dict[str, AccountStanding] = field(default_factory=dict)
    markets: dict[tuple[str, str], Market] = field(default_factory=dict)
    """By venue and symbol."""
    beat: Beat = field(default_factory=Beat)
    alerts: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_ALERTS))
    """Messages of the topic, the newest last."""
    gains: dict[str, list[float]] = field(default_factory=dict)
    """By currency, what the bots have gained on their budgets, from the first that was heard to now."""
    away: str = ""
    """Why the bus cannot be heard; empty if it can."""
    notes: Sequence[str] = ()
    """What was told at the start, such as where the API is; whoever shows may go on adding to it."""
    unread: int = 0
    """Messages that could not be read: another version wrote them."""
    _seen: dict[str, None] = field(default_factory=dict)
    _gained: dict[str, Decimal] = field(default_factory=dict)
    _strides: dict[str, tuple[int, int]] = field(default_factory=dict)

    def take(self, delivery: Delivery) -> None:
        """Take in one message of the bus; one that is known, or cannot be read, changes nothing."""
        message = delivery.message
        try:
            if not self._is_new(f"{delivery.topic}|{message['id']}"):
                return
            if delivery.topic == HEARTBEAT:
                self.beat.take(Signal.from_message(message), self.now_s)
            elif delivery.topic == CANDLES:
                self._candle(message)
            elif delivery.topic == ALERTS:
                self.alerts.append(message)
            elif message["kind"] == "standing":
                self._standing(_read_standing(message["standing"]))
            elif message["kind"] == "left":
                self._left(message["account"])
        except (CambistError, KeyError, TypeError, ValueError, InvalidOperation):
            self.unread += 1

    def still(self) -> "ViewState":
        """Return a copy that stays as it is while messages go on coming."""
        return replace(
            self,
            accounts=dict(self.accounts),
            markets={key: replace(one, closes=one.closes.copy()) for key, one in self.markets.items()},
            beat=replace(self.beat, samples=self.beat.samples.copy()),
            alerts=self.alerts.copy(),
            gains={quote: list(points) for quote, points in self.gains.items()},
            _seen={},
        )

    def standings(self) -> list[AccountStanding]:
        """Return the accounts by name, their positions at the last price that was heard."""
        return [self._at_market(self.accounts[name]) for name in sorted(self.accounts)]

    def market_of(self, venue: str, symbol: str) -> Market | None:
        """Return the market of ``symbol`` on ``venue``, else that of any venue: paper trades on others' prices."""
        found = self.markets.get((venue, symbol))
        return found or next((one for (_, name), one in self.markets.items() if name == symbol), None)

    def _is_new(self, name: str) -> bool:
        if name in self._seen:
            return False
        self._seen[name] = None
        if len(self._seen) > _KNOWN:
            del self._seen[next(iter(self._seen))]
        return True

    def _candle(self, message: dict[str, Any]) -> None:
        timeframe, row = Timeframe.parse(message["timeframe"]), message["candle"]
        key, ts, close = (message["venue"], message["symbol"]), int(row["ts"]), Decimal(row["close"])
        market = self.markets.get(key)
        if market is None or timeframe.ms < market.timeframe.ms:
            market = self.markets[key] = Market(message["symbol"], timeframe)
        if timeframe is market.timeframe and ts > market.ts:
            market.ts, market.price = ts, close
            market.closes.append(float(close))

    def _standing(self, standing: AccountStanding) -> None:
        known = self.accounts.get(standing.id)
        if known is not None and known.seq > standing.seq:
            return
        self.accounts[standing.id] = standing
        before = _gain(known) if known is not None else Decimal(0)
        self._gained[standing.quote] = self._gained.get(standing.quote, Decimal(0)) + _gain(standing) - before
        self._note_gain(standing.quote, float(self._gained[standing.quote]))

    def _left(self, name: str) -> None:
        known = self.accounts.pop(name, None)
        if known is not None:
            self._gained[known.quote] -= _gain(known)

    def _note_gain(self, quote: str, gain: float) -> None:
        """Keep ``gain``: all of the run stays in view, ever more coarsely, and the last point is now."""
        points = self.gains.setdefault(quote, [])
        stride, waited = self._strides.get(quote, (1, 1))
        if points and waited < stride:
            points[-1] = gain
            waited += 1
        else:
            points.append(gain)
            waited = 1
        if len(points) >= _POINTS:
            del points[1:-1:2]
            stride *= 2
        self._strides[quote] = (stride, waited)

    def _at_market(self, account: AccountStanding) -> AccountStanding:
        bots = tuple(self._marked(account, bot) for bot in account.bots)
        return replace(account, bots=bots, equity=sum((bot.equity for bot in bots), Decimal(0)))

    def _marked(self, account: AccountStanding, bot: BotStanding) -> BotStanding:
        market = self.market_of(account.venue, bot.symbol)
        if market is None or market.close_ms <= account.ts or not bot.quantity or bot.price is None:
            return bot
        moved = bot.quantity * (market.price - bot.price)
        return replace(bot, price=market.price, unrealised=bot.unrealised + moved, equity=bot.equity + moved)


def _gain(account: AccountStanding) -> Decimal:
    return sum((bot.equity - bot.budget for bot in account.bots), Decimal(0))
