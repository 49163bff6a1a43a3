"""What the tests of others stand on: a server of theirs leaves nothing open, whoever comes while it goes."""

import asyncio
import gc
import socket
import warnings

import pytest
from aiohttp import web
from tests.serving import serving


@pytest.mark.parametrize("turns", range(5))
def test_who_connects_while_a_server_goes_is_not_left_open(turns):
    async def scene() -> None:
        async with serving(web.Application()) as address:
            host, _, port = address.partition(":")
            client = socket.create_connection((host, int(port)))
            for _ in range(turns):  # in one of these its connection is accepted and not yet handed over
                await asyncio.sleep(0)
        client.close()

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", ResourceWarning)
        asyncio.run(scene())
        gc.collect()
    assert not seen, [str(one.message) for one in seen]
