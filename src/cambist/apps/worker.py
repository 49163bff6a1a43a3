"""Workers: processes of their own that run jobs, and what starts them and keeps them up.

``python -m cambist.apps.worker`` is one worker. It ends with its standard input, which whoever started it holds open:
however that one ends, the worker does too.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from asyncio.subprocess import PIPE, Process
from contextlib import AbstractContextManager, suppress
from functools import cache

from cambist.apps import bootstrap
from cambist.apps.settings import Settings, load
from cambist.domain.text import say
from cambist.ports.history import PublicMarket
from cambist.ports.jobs import Kind

_log = logging.getLogger(__name__)

READY = "ready"
"""What a worker writes to its standard output once it takes jobs."""
_AGAIN_S = 1.0
"""Between the end of a worker and the start of the next in its place."""
_PATIENCE_S = 5.0


class Workers:
    """``count`` workers, started anew when they end, as long as `run` runs."""

    def __init__(self, settings: Settings, count: int = 1) -> None:
        self._environment = environment_of(settings)
        self._count = count
        self._processes: set[Process] = set()
        self.ready = asyncio.Event()
        """Set once the first worker takes jobs."""

    async def run(self) -> None:
        """Keep the workers up until cancelled; then end them. What they are at, the next ones go on with."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._count):
                tasks.create_task(self._keep_up())

    def reasons(self) -> list[str]:
        """Return what is not well: nothing, once a worker is there."""
        return [] if self.ready.is_set() and self._processes else [say("run.worker.none")]

    async def _keep_up(self) -> None:
        while True:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "cambist.apps.worker",
                stdin=PIPE,
                stdout=PIPE,
                env=self._environment,
                start_new_session=True,  # Ctrl-C is for us: they end when we do
            )
            self._processes.add(process)
            try:
                if process.stdout is not None and (await process.stdout.readline()).decode().strip() == READY:
                    self.ready.set()
                code = await process.wait()
            finally:
                self._processes.discard(process)
                await _end(process)
            _log.warning("a worker ended (%s): another one takes its place", code)
            await asyncio.sleep(_AGAIN_S)


def environment_of(settings: Settings) -> dict[str, str]:
    """Return what a worker finds in its environment: what it needs, and no key of an exchange or of the vault."""
    ours = {"CAMBIST_HOME": str(settings.home), "DATABASE_URL": settings.database_url}
    if settings.venue_url is not None:
        ours["CAMBIST_VENUE_URL"] = settings.venue_url
    if settings.trust_code:
        ours["CAMBIST_TRUST_CODE"] = "true"
    return {name: value for name, value in os.environ.items() if not name.startswith("CAMBIST_")} | ours


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _PATIENCE_S)
    if process.returncode is None:
        process.kill()
        await process.wait()


def main() -> None:
    """Run jobs in this process until standard input ends, or SIGTERM."""
    from cambist.usecases.backtest_job import BacktestJob
    from cambist.usecases.backtests import BACKTEST, DOWNLOAD, SEARCH
    from cambist.usecases.download_job import DownloadJob, Loads
    from cambist.usecases.jobs import Running
    from cambist.usecases.optimise import Tools
    from cambist.usecases.search_job import SearchJob

    settings = load()
    bootstrap.set_up_logging(settings, form="json")
    store, lake, clock = bootstrap.jobs(settings), bootstrap.lake(settings), bootstrap.running_clock()
    sandbox = cache(lambda: bootstrap.sandbox(settings))

    def market(venue: str) -> PublicMarket:
        return bootstrap.public_market(venue, settings)

    def tools(user_id: int, threads: bool) -> AbstractContextManager[Tools]:
        # what is not compiled has this worker's core alone: other jobs have the others
        folder = bootstrap.studies(settings, user_id)
        return bootstrap.search_tools(folder, jobs=None if threads else 1, cluster=None, threads=threads)

    loads = Loads(lake, market, bootstrap.has_candles)
    kinds: dict[str, Kind] = {
        BACKTEST: BacktestJob(
            lake,
            loads,
            store,
            reports=lambda user_id: bootstrap.report_files(settings, user_id),
            shelf=lambda user_id: bootstrap.strategies(settings, user_id),
            sandbox=sandbox,
            clock=clock,
        ),
        SEARCH: SearchJob(
            lake,
            loads,
            store,
            reports=lambda user_id: bootstrap.report_files(settings, user_id, "search-reports"),
            shelf=lambda user_id: bootstrap.strategies(settings, user_id),
            tools=tools,
            sandbox=sandbox,
            clock=clock,
        ),
        DOWNLOAD: DownloadJob(lake, market),
    }
    steps = Running(store, kinds, clock, seconds=time.monotonic)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    threading.Thread(target=_until_alone, args=(stop,), daemon=True).start()
    bootstrap.job_worker(settings, store, steps).run(stop, _say_ready)
    # A job's thread cannot be ended, only left: what was being done is done again from its last step, by the next
    # worker, as after any other end.
    logging.shutdown()
    os._exit(0)


def _until_alone(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()


def _say_ready() -> None:
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nobody reads on: what prints must not come to wait for that


if __name__ == "__main__":
    main()
