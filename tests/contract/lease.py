"""What every `Lease` keeps to: an adapter's test inherits `LeaseContract` and gives ``database_url``."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from tests.contract.book import fresh

from cambist.adapters.storage.lease import open_lease
from cambist.ports.book import Lease

HOLDER = """
import sys
from cambist.adapters.storage.lease import open_lease
lease = open_lease(sys.argv[1])
print(lease.take(sys.argv[2]), flush=True)
sys.stdin.read()
"""


class LeaseContract:
    @pytest.fixture
    def opens(self, database_url: str) -> Iterator[Callable[[], Lease]]:
        opened: list[Lease] = []

        def opens() -> Lease:
            opened.append(open_lease(database_url))
            return opened[-1]

        yield opens
        for lease in opened:
            lease.give_back()

    @pytest.fixture
    def name(self) -> str:
        return fresh("lease")

    def test_one_takes_it_and_the_other_waits_until_it_is_given_back(self, opens, name):
        one, two = opens(), opens()
        assert not one.held(name)
        assert one.take(name)
        assert one.take(name)
        assert one.held(name)
        assert not two.take(name)
        assert not two.held(name)
        one.give_back([name])
        assert not one.held(name)
        assert two.take(name)
        assert two.held(name)
        assert not one.take(name)

    def test_names_are_apart(self, opens, name):
        one, two = opens(), opens()
        assert one.take(name)
        assert two.take(name + "b")
        assert one.take(name + "c")
        one.give_back([name, "never taken"])
        assert one.held(name + "c")
        assert two.take(name)
        one.give_back()
        assert two.take(name + "c")
        assert all(two.held(name + end) for end in ("", "b", "c"))

    def test_giving_back_nothing_is_nothing(self, opens, name):
        lease = opens()
        lease.give_back()
        lease.give_back([name])
        assert lease.take(name)

    @pytest.mark.parametrize("how", ["kill", "end"])
    def test_it_goes_with_the_process_that_held_it(self, opens, name, database_url, how):
        lease = opens()
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, database_url, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert holder.stdout is not None
        assert holder.stdin is not None
        try:
            assert holder.stdout.readline() == "True\n"
            assert not lease.take(name)
        finally:
            if how == "kill":
                holder.kill()
            holder.communicate()
        self.takes_soon(lease, name)

    def test_a_forked_child_does_not_keep_it(self, opens, name):
        one, two = opens(), opens()
        assert one.take(name)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:  # it lives until the pipe is closed
            os.close(writing)
            os.read(reading, 1)
            os._exit(0)
        try:
            os.close(reading)
            assert one.held(name)  # what the child let go of was not ours
            assert not two.take(name)
            one.give_back()
            self.takes_soon(two, name)
        finally:
            os.close(writing)
            os.waitpid(child, 0)

    def takes_soon(self, lease: Lease, name: str) -> None:
        """Take it; a server may need a moment to see that a client has gone."""
        assert any(lease.take(name) for _ in range(2_000))
        assert lease.held(name)
