"""Which tests go to the same worker of xdist, one after the other, and how many workers there are.

The groups of ``--dist loadgroup`` are told from worker to controller in the name of each test, which pytest 9.2 no
longer lets a plugin change: they are silently not kept. Here they are told from the file.
"""

import os

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

GROUPS = {
    "tests/e2e/test_drill.py": "drills",  # their clocks are real: one at a time
    "tests/e2e/test_live_on_the_box.py": "drills",
    "tests/e2e/test_trading_by_api.py": "floors",
}
WHOLE = (
    "tests/api/",
    "tests/contract/",
    "tests/docs/test_bus_page.py",
    "tests/e2e/test_parity.py",
    "tests/e2e/test_report_page.py",
    "tests/e2e/test_search_report_page.py",
    "tests/e2e/test_stored_strategy.py",
    "tests/e2e/test_sweep.py",
)
"""Where the tests of a file share a site, an exchange, a browser, a cluster or a run that takes longer to make than to
use."""


class InTurn(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a worker the tests of a group, or of a whole file, at once; of all others one at a time."""

    def _split_scope(self, nodeid: str) -> str:
        file = file_of(nodeid)
        return GROUPS.get(file, file if file.startswith(WHOLE) else nodeid)


def file_of(nodeid: str) -> str:
    """Return the file of a test, from the folder of the repository."""
    return nodeid.partition("::")[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the groups first: a long row that begins last would end alone."""
    items.sort(key=lambda item: file_of(item.nodeid) not in GROUPS)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> InTurn | None:
    """Keep the groups, if groups are asked for, and the order of the tests."""
    if config.getvalue("dist") != "loadgroup":
        return None
    config.option.loadscopereorder = False
    return InTurn(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than cores: one mostly waits, for clocks and for processes that it started."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1
