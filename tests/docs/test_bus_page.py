"""The page on the bus names every field that a real run tells, topic by topic."""

import asyncio
import re

import pytest
from tests.docs.pages import DOCS
from tests.unit.engine.floors import floor, market, two_bots
from tests.unit.engine.test_audit import TOPICS, everything

from cambist.adapters.bus.inprocess import InProcessBus


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory):
    async def run():
        bus, series = InProcessBus(keep=100_000), market()
        async with floor(f"sqlite:///{tmp_path_factory.mktemp('book')}/book.db", series, bus) as one:
            await two_bots(one, series)
            await one.run(series)
            return await everything(bus, one.audit)

    return asyncio.run(run())


@pytest.mark.parametrize("topic", TOPICS)
def test_each_field_is_explained(told, topic):
    page = (DOCS / "bus.md").read_text(encoding="utf-8")
    common = page.partition("## What most messages have")[2].partition("\n## ")[0]
    own = page.partition(f"\n## {topic}\n")[2].partition("\n## ")[0]
    explained = {
        name for row in re.findall(r"^\| (`[^|]*) \|", common + own, re.M) for name in re.findall(r"`(\w+)`", row)
    }
    fields = {name for message in told[topic] for name in message}
    assert len(fields) > 5
    assert fields <= explained
