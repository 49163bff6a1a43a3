"""The heartbeat's signal: one candle has closed."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from cambist.domain.errors import BadInput, ParseError
from cambist.domain.record import record
from cambist.domain.tick import CandleTick
from cambist.domain.timeframe import Timeframe

_MONEY = ("open", "high", "low", "close", "volume")


@record(kw_only=True)
class Signal:
    """A closed candle of one symbol, told once by each source."""

    venue: str
    candle: CandleTick
    received_ms: int
    """When the message that closed the candle came in, or when it was asked for if ``repaired``."""
    source: str = "primary"
    repaired: bool = False
    """The candle was missed live and asked for afterwards."""

    @property
    def symbol(self) -> str:
        """What is traded."""
        return self.candle.symbol

    @property
    def timeframe(self) -> Timeframe:
        """The candle's length."""
        return self.candle.timeframe

    @property
    def close_ms(self) -> int:
        """When the candle closed (the open time of the next)."""
        return self.candle.timeframe.close_of(self.candle.ts)

    @property
    def signal_id(self) -> str:
        """What all sources call this close."""
        return f"{self.timeframe}_{self.close_ms}"

    @property
    def id(self) -> str:
        """What all sources call this close of this symbol."""
        return f"{self.venue}:{self.symbol}:{self.signal_id}"

    def message(self) -> dict[str, Any]:
        """Return the signal as it goes over the bus: money as text, ``timestamp`` as ISO 8601."""
        moment = datetime.fromtimestamp(self.received_ms / 1000, UTC)
        signal_id = self.signal_id
        return {
            "id": f"{self.venue}:{self.symbol}:{signal_id}",
            "timeframe": str(self.timeframe),
            "signal_id": signal_id,
            "close_ms": self.close_ms,
            "venue": self.venue,
            "symbol": self.symbol,
            "candle": self.candle_message(),
            "received_ms": self.received_ms,
            "timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "source": self.source,
            "repaired": self.repaired,
        }

    def candle_message(self) -> dict[str, Any]:
        """Return the candle alone: its open time, and money as text."""
        return {"ts": self.candle.ts} | {name: format(getattr(self.candle, name), "f") for name in _MONEY}

    @classmethod
    def from_message(cls, message: dict[str, Any]) -> "Signal":
        """Return the signal in a message of the bus; raise `ParseError`."""
        try:
            row = message["candle"]
            candle = CandleTick(
                symbol=message["symbol"],
                timeframe=Timeframe.parse(message["timeframe"]),
                ts=int(row["ts"]),
                closed=True,
                received_ms=int(message["received_ms"]),
                open=Decimal(row["open"]),
                high=Decimal(row["high"]),
                low=Decimal(row["low"]),
                close=Decimal(row["close"]),
                volume=Decimal(row["volume"]),
            )
            return cls(
                venue=message["venue"],
                candle=candle,
                received_ms=candle.received_ms,
                source=message["source"],
                repaired=bool(message["repaired"]),
            )
        except (KeyError, TypeError, ValueError, InvalidOperation, BadInput) as error:
            raise ParseError("heartbeat.bad_signal", why=repr(error), start=str(message)[:200]) from None
