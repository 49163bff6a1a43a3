"""What is checked before a backtest is put into the queue, and what is made of finished ones."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.contract.result_store import a_result
from tests.databases import sqlite_url

from cambist.adapters.storage.candles import ParquetLake
from cambist.adapters.storage.jobs import SqlJobs
from cambist.adapters.storage.register import SqlRegister
from cambist.adapters.storage.results import SqlResults
from cambist.adapters.storage.strategies import SqlShelf
from cambist.domain.account import AccountSpec, Mode
from cambist.domain.errors import BadInput, BadStrategy, NotFound, TooMany
from cambist.domain.job import Job, JobStatus
from cambist.domain.strategy_text import StoredStrategy
from cambist.domain.text import speak
from cambist.domain.timeframe import Timeframe
from cambist.market.synthetic import synthetic_market
from cambist.usecases.backtests import MOST_ACTIVE, Surroundings, Wanted, compared, equity, submit, submit_download

START = 1_704_067_200_000
HOUR = Timeframe.H1.ms
NOW = START + 10_000 * HOUR + 1_234
COSTS: dict[str, Any] = {
    "cash": 10_000.0,
    "fee_bps": 10.0,
    "maker_fee_bps": None,
    "slippage_bps": 5.0,
    "spread_bps": 0.0,
    "volume_share": None,
    "limit_touch": False,
    "pyramiding": 1,
}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_url(tmp_path / "cambist.db")


@pytest.fixture
def around(tmp_path: Path, url: str) -> Surroundings:
    lake = ParquetLake(tmp_path / "candles")
    made = synthetic_market(("ETH/USDT",), start_ms=START, count=300, timeframe=Timeframe.H1, seed=7)["ETH/USDT"]
    lake.append(replace(made, venue="notebook"))
    return Surroundings(
        jobs=SqlJobs(url, 5),
        register=SqlRegister(url, 5),
        shelf=SqlShelf(url, 5),
        lake=lake,
        exchanges=lambda venue: venue in ("binance", "kraken"),
    )


@pytest.fixture
def ask(around: Surroundings):
    count = 0

    def asked(limits: dict[str, Any] | None = None, now_ms: int = NOW, **changed: Any) -> Job:
        nonlocal count
        count += 1
        wanted: dict[str, Any] = {
            "strategy": "ema_cross",
            "symbols": ("BTC/USDT",),
            "timeframe": Timeframe.H1,
            "venue": "binance",
            "since": START,
            "params": {},
            "settings": COSTS,
        }
        return submit(
            Wanted(**(wanted | changed)), around, job_id=f"j{count}", user_id=5, limits=limits or {}, now_ms=now_ms
        )

    return asked


def test_what_was_asked_is_what_is_queued(around, ask):
    speak("fr")
    try:
        job = ask(params={"fast": 5}, detail=Timeframe.M15, proof=False)
    finally:
        speak("en")
    assert around.jobs.job("j1") == job
    assert (job.status, job.kind, job.asked_ms, job.user_id) == (JobStatus.QUEUED, "backtest", NOW, 5)
    assert job.params == {
        "strategy": "ema_cross",
        "venue": "binance",
        "symbols": ["BTC/USDT"],
        "timeframe": "1h",
        "since": START,
        "until": START + 10_000 * HOUR,  # the candle under way is no part of it
        "detail": "15m",
        "params": {"fast": 5},
        "settings": COSTS,
        "proof": False,
        "language": "fr",
        "allowed_per_day_ms": None,
    }


BAD: list[tuple[dict[str, Any], str]] = [
    ({"strategy": "nothing"}, "strategy"),
    ({"strategy": "/etc/passwd"}, "strategy"),
    ({"strategy": "strategies/mine.py"}, "strategy"),
    ({"strategy": "stored:0"}, "strategy"),
    ({"params": {"quick": 3}}, "quick"),
    ({"params": {"fast": 3_000}}, "fast"),
    ({"venue": None}, "venue"),
    ({"account": "main"}, "venue"),
    ({"venue": "binanse"}, "venue"),
    ({"symbols": ()}, "symbols"),
    ({"symbols": ("BTC/USDT", "BTC/USDT")}, "symbols"),
    ({"symbols": ("btcusdt",)}, "symbols"),
    ({"symbols": tuple(f"A{i}/USDT" for i in range(21))}, "symbols"),
    ({"since": None}, "since"),
    ({"since": NOW}, "since"),
    ({"until": START + HOUR}, "since"),
    ({"timeframe": Timeframe.M1, "since": 0}, "since"),
    ({"detail": Timeframe.H1}, "detail"),
    ({"detail": Timeframe.H4}, "detail"),
    ({"settings": COSTS | {"cash": -1.0}}, "cash"),
    ({"settings": COSTS | {"cash": float("nan")}}, "cash"),
    ({"settings": COSTS | {"fee_bps": 5_000.0}}, "fee_bps"),
    ({"settings": COSTS | {"pyramiding": 0}}, "pyramiding"),
]


@pytest.mark.parametrize(("changed", "field"), BAD, ids=[f"{field} {i}" for i, (_, field) in enumerate(BAD)])
def test_what_will_not_do_is_refused_by_its_name_and_nothing_is_queued(around, ask, changed, field):
    with pytest.raises(BadInput) as refused:
        ask(**changed)
    assert refused.value.field == field
    assert str(refused.value)
    assert around.jobs.latest() == []


def test_two_candles_are_enough_and_five_million_not_too_many(ask):
    assert ask(until=START + 2 * HOUR).params["until"] == START + 2 * HOUR
    symbols = tuple(f"A{number}/USDT" for number in range(9))  # 600,000 minutes of each
    ask(symbols=symbols[:8], detail=Timeframe.M1)
    with pytest.raises(BadInput) as refused:
        ask(symbols=symbols, detail=Timeframe.M1)
    assert refused.value.field == "since"


def test_candles_that_are_here_do_where_no_exchange_has_them(ask):
    job = ask(venue="notebook", symbols=("ETH/USDT",), since=None, timeframe=Timeframe.H4)
    assert job.params["since"] == START


def test_an_account_means_its_exchange(around, ask):
    around.register.add_account(AccountSpec(id="kr.5", user_id=5, venue="kraken", mode=Mode.PAPER, quote="USDT"))
    assert ask(venue=None, account="kr.5").params["venue"] == "kraken"
    with pytest.raises(NotFound):
        ask(venue=None, account="main")


def test_a_stored_strategy_runs_in_the_version_that_was_asked_for(around, ask, url):
    code = "class Mine(Strategy):\n    pass\n"
    stored = around.shelf.add(StoredStrategy(user_id=5, name="mine", created_ms=1, changed_ms=1), code)
    around.shelf.save(stored.id, code + "\n", expected_version=1, now_ms=2)
    assert ask(strategy=f"stored:{stored.id}").params["strategy"] == f"stored:{stored.id}@2"
    assert ask(strategy=f"stored:{stored.id}@1").params["strategy"] == f"stored:{stored.id}@1"
    for missing in (f"stored:{stored.id}@3", "stored:9999"):
        with pytest.raises(NotFound):
            ask(strategy=missing)
    theirs = SqlShelf(url, 6).add(StoredStrategy(user_id=6, name="theirs", created_ms=1, changed_ms=1), code)
    for name in (f"stored:{theirs.id}", f"stored:{theirs.id}@1"):
        with pytest.raises(NotFound):
            ask(strategy=name)


def test_a_person_has_so_many_jobs_at_a_time(around, ask):
    for _ in range(MOST_ACTIVE):
        ask()
    with pytest.raises(TooMany):
        ask()
    around.jobs.cancel("j1", NOW)
    ask()


def test_minutes_a_day_are_counted_over_24_hours(around, ask):
    limits = {"backtest_minutes_per_day": 2}
    assert ask(limits).params["allowed_per_day_ms"] == 120_000
    around.jobs.begin("j1", NOW)
    job = around.jobs.job("j1")
    assert job.step is None
    around.jobs.add(replace_job(job, id="spent", asked_ms=NOW, cpu_ms=119_000))
    assert ask(limits).params["allowed_per_day_ms"] == 120_000
    around.jobs.add(replace_job(job, id="more", asked_ms=NOW, cpu_ms=1_000))
    with pytest.raises(TooMany):
        ask(limits)
    assert ask(limits, now_ms=NOW + 86_400_001).params["allowed_per_day_ms"] == 120_000
    with pytest.raises(TooMany):
        ask({"backtest_minutes_per_day": 0}, now_ms=NOW + 86_400_001)


def replace_job(job: Job, **changed: Any) -> Job:
    return replace(job, **changed)


def test_a_download_is_checked_too(around):
    def asked(**changed: Any) -> Job:
        wanted: dict[str, Any] = {
            "venue": "binance",
            "symbol": "BTC/USDT",
            "timeframe": Timeframe.M1,
            "since": NOW - 5 * HOUR,
            "until": None,
            "job_id": "d1",
            "user_id": 5,
            "now_ms": NOW,
        }
        return submit_download(around, **(wanted | changed))

    for changed, field in (
        ({"venue": "notebook"}, "venue"),
        ({"symbol": "BTC"}, "symbols"),
        ({"since": NOW}, "since"),
        ({"since": 0}, "since"),
    ):
        with pytest.raises(BadInput) as refused:
            asked(**changed)
        assert refused.value.field == field
    job = asked()
    assert around.jobs.job("d1") == job
    assert job.params["until"] == Timeframe.M1.floor(NOW)


def test_a_thinned_curve_keeps_its_highs_and_lows():
    generator = np.random.default_rng(3)
    values = np.cumsum(generator.normal(size=1_500)) + 500
    curve = tuple((i * HOUR, float(value)) for i, value in enumerate(values))
    kept = equity(replace(a_result(), equity=curve), 50)
    assert len(kept) <= 50
    assert set(kept) <= set(curve)
    assert (kept[0], kept[-1]) == (curve[0], curve[-1])
    assert {max(value for _, value in kept), min(value for _, value in kept)} == {values.max(), values.min()}
    for points in (9, 2_001):
        with pytest.raises(BadInput):
            equity(a_result(), points)


def test_only_ones_own_results_are_compared(url):
    mine, theirs = SqlResults(url, 5), SqlResults(url, 6)
    one, other, foreign = mine.keep(a_result()), mine.keep(a_result()), theirs.keep(a_result())
    assert [result.id for result in compared(mine, [other, one]).results] == [other, one]
    with pytest.raises(NotFound):
        compared(mine, [one, foreign])
    for ids in ([one], [one, one], [one, other] * 6):
        with pytest.raises(BadInput):
            compared(mine, ids)


def test_a_strategy_that_is_no_sample_is_never_loaded_from_a_file(ask, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ema.py").write_text("raise SystemExit\n")
    for name in ("ema.py", "ema.py:Mine", str(tmp_path / "ema.py")):
        with pytest.raises(BadInput) as refused:
            ask(strategy=name)
        assert not isinstance(refused.value, BadStrategy)
