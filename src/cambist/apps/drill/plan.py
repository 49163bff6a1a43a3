"""What goes wrong in one run of the drill: by seed, so that every run can be had again."""

import random
from collections.abc import Callable

from cambist.apps.drill.killing import Kill, Moment
from cambist.domain.record import record
from cambist.simulators.faults import Fault, Kind

FAULTS_IN_A_RUN = 4
MOST_KILLS = 5
_FARTHEST_STEP = 7
_DOWN_S = (0, 0, 0, 150)
_ORDERS, _CANCELS, _USER, _CANDLES = "POST /api/v3/order*", "DELETE /api/v3/order*", "ws:user", "ws:*@kline_1m"
_ANY = "* /api/v3/*"


@record(kw_only=True)
class Plan:
    """One run: its market and its luck by ``seed``, the faults in force, and how the engines die, one after another."""

    seed: int
    minutes: int
    faults: tuple[Fault, ...]
    kills: tuple[Kill, ...]


def plan(seed: int, minutes: int, speed: float) -> Plan:
    """Return run ``seed``: consecutive seeds go through the whole list of faults in turn.

    ``speed`` is that of the exchange's clock: what a fault waits in our time is as long in its own.
    """
    dice = random.Random(seed)
    scenarios = SCENARIOS
    chosen = [scenarios[(seed * FAULTS_IN_A_RUN + number) % len(scenarios)] for number in range(FAULTS_IN_A_RUN)]
    kills = tuple(
        Kill(dice.choice(list(Moment)), dice.randint(1, _FARTHEST_STEP), dice.choice(_DOWN_S))
        for _ in range(dice.randint(1, MOST_KILLS))
    )
    return Plan(seed=seed, minutes=minutes, faults=tuple(make(dice, speed) for make in chosen), kills=kills)


Scenario = Callable[[random.Random, float], Fault]


def _at(kind: Kind, path: str, farthest: int = 3, times: int = 1, *, nearest: int = 0, **more: object) -> Scenario:
    """Return a fault that strikes after a few occasions; ``seconds`` are those of the exchange's clock."""

    def make(dice: random.Random, speed: float) -> Fault:
        told: dict[str, object] = dict(more)
        if kind not in _BY_ITS_CLOCK and "seconds" in told:
            told["seconds"] = float(str(told["seconds"])) / speed
        return Fault(kind=kind, path=path, skip=dice.randint(nearest, farthest), times=times, **told)  # type: ignore[arg-type]

    return make


_BY_ITS_CLOCK = (Kind.BAN, Kind.SKEW, Kind.STALE_BOOK)
SCENARIOS: tuple[Scenario, ...] = (
    _at(Kind.LOST, _ORDERS, times=2),
    _at(Kind.STATUS, _ORDERS, status=503),
    _at(Kind.STATUS_AFTER, _ORDERS, status=503, times=2),
    _at(Kind.HTML, _ORDERS, status=502),
    _at(Kind.STALL, _ORDERS, seconds=15),
    _at(Kind.LATENCY, _ORDERS, seconds=15),
    _at(Kind.RESET, _ORDERS),
    _at(Kind.TRUNCATED, _ORDERS),
    _at(Kind.LOST, _CANCELS, farthest=1),
    _at(Kind.STATUS_AFTER, _CANCELS, farthest=1, status=502),
    _at(Kind.FILL_AFTER_CANCEL, _CANCELS, farthest=1, factor=0.5),
    _at(Kind.THIN, _ORDERS, factor=0.4, times=2),
    _at(Kind.STATUS, _ANY, farthest=40, status=429, retry_after="3"),
    _at(Kind.BAN, _ANY, farthest=40, seconds=8),
    _at(Kind.STATUS, _ANY, farthest=40, status=500, times=4),
    _at(Kind.TRUNCATED, "GET /api/v3/myTrades", farthest=10, times=2),
    _at(Kind.DUPLICATES, "GET /api/v3/myTrades", farthest=4, times=3),
    _at(Kind.SKEW, _ORDERS, seconds=10),
    # not at once: what an account is taken over with nobody can doubt
    _at(Kind.WRONG_BALANCES, "GET /api/v3/account", nearest=4, farthest=12, factor=0.9),
    _at(Kind.STALE_BOOK, _ANY, farthest=20, seconds=60),
    _at(Kind.DROP, _USER, farthest=6, times=3),
    _at(Kind.REPEAT, _USER, farthest=4, times=6),
    _at(Kind.LATE, _USER, farthest=4, times=3, seconds=4),
    _at(Kind.REORDER, _USER, farthest=4, times=3),
    _at(Kind.CLOSE, _USER, farthest=6),
    _at(Kind.HALF_OPEN, _USER, farthest=6),
    _at(Kind.DROP, _CANDLES, farthest=60, times=30),
    _at(Kind.REPEAT, _CANDLES, farthest=60, times=40),
    _at(Kind.REORDER, _CANDLES, farthest=60, times=10),
    _at(Kind.CLOSE, _CANDLES, farthest=100, times=2),
    _at(Kind.HALF_OPEN, _CANDLES, farthest=100),
    _at(Kind.DOWN, _ANY, farthest=60, seconds=8),
    _at(Kind.RESTART, _ANY, farthest=60, times=2),
    _at(Kind.AMNESIA, _ANY, farthest=80),
)
"""Every kind of fault that the box knows, where an engine meets it."""
