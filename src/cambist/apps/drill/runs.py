"""Many runs, several at once, each in a worker process with an exchange and engines of its own."""

import logging
import signal
from collections.abc import Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from multiprocessing.synchronize import Event

from cambist.apps.drill.box import SPEED, context, run
from cambist.apps.drill.plan import plan
from cambist.domain.errors import Stopped
from cambist.usecases.drill import Run

_stop: Event | None = None


def runs(strategy: str, history: int, seeds: Iterable[int], minutes: int, workers: int) -> Generator[Run]:
    """Yield the runs of ``seeds`` as they end, ``workers`` at once.

    Whoever closes the iterator stops those under way; their engines and exchanges are gone when it returns.
    """
    processes = context()
    stop = processes.Event()
    waiting, under_way = iter(seeds), set[Future[Run]]()
    pool = ProcessPoolExecutor(workers, mp_context=processes, initializer=_begin, initargs=(stop,))
    try:
        while True:
            for seed in islice(waiting, workers - len(under_way)):
                under_way.add(pool.submit(_one, strategy, history, seed, minutes))
            if not under_way:
                return
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for one in done:
                yield one.result()
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _begin(stop: Event) -> None:
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started us, who then tells us
    logging.disable(logging.CRITICAL)  # connections that break are the point


def _one(strategy: str, history: int, seed: int, minutes: int) -> Run:
    try:
        return run(plan(seed, minutes, SPEED), strategy, history, stop=_stop)
    except Stopped:
        return Run(seed=seed)
