"""The sandbox: other people's code runs in processes that reach nothing but the one channel to who asks them.

What a jailed process says is data to be checked, never objects: JSON values and one-dimensional arrays, bounded.

Who builds on it does not speak to it directly:

- `cambist.backtest.jailed.backtest_stored` runs a backtest of stored code and gives what `backtest` gives;
- `cambist.engine.jailed.Stored` is stored code as an engine runs it, live;
- `cambist.usecases.validation.validate` says of code whether it may be stored and run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from cambist.domain.record import record

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Arrays = Mapping[str, npt.NDArray[np.generic]]


@record(kw_only=True)
class Held:
    """Whether the jail holds on this machine: each way out was tried when the sandbox began."""

    ok: bool
    """Whether other people's code is run at all."""
    layers: tuple[str, ...] = ()
    """What holds it, in the order in which it is put on: ``rlimits``, ``landlock 7``, ``seccomp``..."""
    why: str = ""
    """What failed, one sentence; empty if nothing did."""
    trusted: bool = False
    """Whether code runs without a jail, because who runs this server said that all code on it is their own."""


@record(kw_only=True)
class Limits:
    """What one jailed process may use. A breach ends it."""

    memory_mb: int = 512
    """Beyond what a fresh process holds."""
    cpu_s: float = 30.0
    """Of computing time, in all..."""
    cpu_share: float = 0.0
    """... and this share of a core beside, for processes that live long."""
    answer_mb: float = 1.0
    """The longest answer."""


@record(kw_only=True)
class Answer:
    """What a jailed process said, of the right form but otherwise unchecked."""

    values: dict[str, Any]
    """Out of JSON."""
    arrays: Arrays


class Jailed(Protocol):
    """One jailed process. It is asked one thing at a time; whatever fails ends it, and says why from then on."""

    def ask(
        self,
        verb: str,
        values: Mapping[str, Any],
        arrays: Arrays | None = None,
        *,
        timeout_s: float,
        progress: Callable[[float], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Answer:
        """Return the answer to ``verb``.

        Raises `StrategyFailed` if the code raises, dies, takes too long or too much, or answers nonsense; `BadInput`
        (`BadStrategy`) if it says that what it was given will not do; `Stopped` once ``cancelled()`` is true.
        ``progress`` is called with the share of the work that is done, from 0 to 1.
        """
        ...

    async def ask_soon(
        self, verb: str, values: Mapping[str, Any], arrays: Arrays | None = None, *, timeout_s: float
    ) -> Answer:
        """Do the same without holding up the event loop."""
        ...

    def close(self) -> None:
        """End the process, whatever it does."""
        ...


class Sandbox(Protocol):
    """Where jailed processes come from."""

    def holds(self) -> Held:
        """Tell whether the jail holds here. The first call tries every way out, which takes some seconds."""
        ...

    def start(self, limits: Limits | None = None) -> Jailed:
        """Return a fresh jailed process; raise `NotAllowed` if the jail does not hold, `StorageFailed` without one."""
        ...

    def close(self) -> None:
        """End all of them."""
        ...
