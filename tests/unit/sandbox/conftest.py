"""One sandbox for all tests of it: a zygote takes a second to start."""

import pytest

from cambist.adapters.sandbox.processes import ProcessSandbox, sandbox_here


@pytest.fixture(scope="session")
def sandbox() -> ProcessSandbox:
    return sandbox_here("cambist.usecases.inside")
