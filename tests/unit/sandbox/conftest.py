"""One sandbox for all tests of it: a zygote takes a second to start."""

from collections.abc import Iterator

import pytest

from cambist.adapters.sandbox.processes import ProcessSandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[ProcessSandbox]:
    one = ProcessSandbox("cambist.usecases.inside")
    yield one
    one.close()
