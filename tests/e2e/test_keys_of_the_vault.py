"""A key given over the API trades: the engine finds it in the vault, and takes up another when it is given one."""

from pathlib import Path

import pytest
from tests.api.sites import site
from tests.e2e.floors import ALWAYS_IN, Home, boxed, until

from cambist.domain.account import BotStatus
from cambist.domain.timeframe import Timeframe
from cambist.usecases.bots import add_bot, tell_bot

BROKER = {
    "name": "main",
    "exchange": "binance",
    "mode": "live",
    "credentials": {"api_key": "the-key", "secret": "the-secret"},
}


@pytest.mark.slow
def test_an_engine_trades_with_the_key_of_the_vault_and_takes_up_another(tmp_path: Path):
    file = tmp_path / "always.py"
    file.write_text(ALWAYS_IN, encoding="utf-8")
    with boxed() as box:
        home = Home(tmp_path, CAMBIST_VENUE_URL=box.url)
        try:
            with site(tmp_path, CAMBIST_VENUE_URL=box.url) as here:
                ann = here.person("ann")
                assert ann.post("/brokers", BROKER).status_code == 201
                register = here.services.stores(ann.id).register
                add_bot(
                    register, "b", account="main", strategy=str(file), symbol="BTC/USDT", timeframe=Timeframe.M1,
                    budget="1000",
                )  # fmt: skip
                tell_bot(register, "b", "start", 0)
                home.start("up", "--headless", "--port", "0", "--venue", "binance", "--live", "--no-api")
                until(lambda: home.seated(1) and home.bot("b").status is BotStatus.RUNNING, "the bot runs")
                changed = ann.patch("/brokers/main", {"credentials": BROKER["credentials"]})
                assert changed.status_code == 200
                request = changed.json()["request"]
                until(lambda: register.request(request).done_ms is not None, "the engine answers")
                assert "main" in register.request(request).answer
                until(lambda: home.bot("b").status is BotStatus.RUNNING, "the bot runs on")
                leaving = ann.delete("/brokers/main")
                assert leaving.status_code == 202
                until(lambda: ann.get("/brokers/main").status_code == 404, "the account is gone")
                assert not here.services.office.vault.holds(ann.id, "account:main", "api_key")
        finally:
            home.end()
