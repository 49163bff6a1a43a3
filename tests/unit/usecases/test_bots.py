"""What is wrong with a bot is told when it is made."""

from pathlib import Path

import pytest

from cambist.apps import bootstrap
from cambist.apps.settings import load
from cambist.domain.account import Mode
from cambist.domain.errors import BadInput
from cambist.domain.timeframe import DAY_MS, Timeframe
from cambist.usecases.accounts import add_account
from cambist.usecases.bots import add_bot


def test_a_span_that_ends_before_it_begins_is_told_in_dates(tmp_path: Path):
    register = bootstrap.register(load({"CAMBIST_HOME": str(tmp_path)}))
    add_account(register, "main", venue="simulated", mode=Mode.PAPER)
    with pytest.raises(BadInput) as caught:
        add_bot(
            register,
            "b",
            account="main",
            strategy="ema_cross",
            symbol="BTC/USDT",
            timeframe=Timeframe.M1,
            budget="100",
            since_ms=20_000 * DAY_MS,
            until_ms=19_000 * DAY_MS,
        )
    assert (caught.value.field, caught.value.value) == ("until_ms", "2022-01-08")
    assert "2024-10-04" in str(caught.value)
    assert not register.bots()
