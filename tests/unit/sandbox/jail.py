"""What tests of the sandbox share."""

from functools import cache

import pytest

from cambist.adapters.sandbox.syscalls import arch
from cambist.domain.candles import Candles
from cambist.domain.instrument import Instrument
from cambist.market.synthetic import synthetic_market

HOLDS = pytest.mark.skipif(arch() is None, reason="jails need Linux on x86-64 or ARM64")


class Purse:
    def equity(self, price: float) -> float:
        return 10_000.0 + 0.5 * price

    def cash(self) -> float:
        return 9_000.0


@cache
def candles() -> Candles:
    market = synthetic_market(("BTC/USDT",), start_ms=1_704_067_200_000, count=2_000, timeframe="1h", seed=5)
    return market["BTC/USDT"]


def rules() -> Instrument:
    return Instrument.assume("simulated", "BTC/USDT", 100_000.0)
