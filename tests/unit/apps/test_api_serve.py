"""The API's server: what ends it while it begins."""

import asyncio
import logging
from contextlib import suppress

import pytest
from tests.api.sites import settings_in

from cambist.apps.api.serve import Api
from cambist.apps.api.services import open_services


@pytest.mark.parametrize("turns", [1, 2, 3, 5, 8, 13])
def test_who_ends_it_while_it_begins_hears_of_no_error(turns, tmp_path, caplog):
    async def served() -> None:
        async with Api(open_services(settings_in(tmp_path))):
            await asyncio.Event().wait()

    async def scene() -> None:
        begins = asyncio.create_task(served())
        for _ in range(turns):
            await asyncio.sleep(0)
        begins.cancel()
        with suppress(asyncio.CancelledError):
            await begins

    with caplog.at_level(logging.WARNING):
        asyncio.run(scene())
    assert [record.getMessage() for record in caplog.records] == []
