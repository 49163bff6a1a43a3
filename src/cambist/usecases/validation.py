"""Whether a strategy's code may be stored and run: everything about it is found out inside the jail."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from cambist.domain.errors import BadInput, StrategyFailed, TooMany
from cambist.domain.record import record
from cambist.domain.strategy_text import LARGEST_BYTES
from cambist.domain.text import say
from cambist.domain.told import plain, plain_params, sayable
from cambist.ports.sandbox import Limits, Sandbox

LIMITS = Limits(memory_mb=1_024, cpu_s=60.0, answer_mb=1.0)
LIMIT_S = 60.0
AT_ONCE = 4
"""How many are looked at side by side: each holds a thread of the server until it has its answer."""
_WAIT_S = 5.0
_MOST_FINDINGS = 100
_MOST_PARAMS = 100
_places = threading.BoundedSemaphore(AT_ONCE)


@record(kw_only=True)
class Finding:
    """One thing to say of the code. Lines and columns count from 1; None where it concerns no line."""

    error: bool
    """Whether it forbids running the code; else a warning."""
    key: str
    params: dict[str, str]
    line: int | None = None
    column: int | None = None

    @property
    def severity(self) -> str:
        """Return ``error`` or ``warning``."""
        return "error" if self.error else "warning"

    @property
    def text(self) -> str:
        """Return what it says, in the language in use."""
        return say(self.key, **self.params)


@record(kw_only=True)
class Report:
    """What was found out about the code. What could not be found out is empty or None."""

    findings: tuple[Finding, ...]
    took_ms: float
    strategy: str = ""
    """The class's name."""
    shape: str = ""
    """``strategy``, ``signals`` or ``template``."""
    params: tuple[dict[str, Any], ...] = ()
    """Its parameters: name, type, default, low, high, choices."""
    trades: int | None = None
    """Made on the sample candles."""
    proof: dict[str, str] | None = None
    """``look_ahead`` and ``warm_up``, each ``pass``, ``fail`` or ``skipped``."""
    decision_ms: float | None = None
    """How long one decision takes."""

    @property
    def ok(self) -> bool:
        """Whether the code may be run."""
        return not any(finding.error for finding in self.findings)


def validate(sandbox: Sandbox, code: str, *, params: Mapping[str, Any] | None = None, timeframe: str = "1h") -> Report:
    """Return what there is to say of ``code``, run in the jail on a made-up market of ``timeframe``.

    Raise `NotAllowed` where the jail does not hold, `StorageFailed` if it cannot be started, `TooMany` if others are
    being looked at already.
    """
    start = time.perf_counter()
    if len(code.encode("utf-8", "replace")) > LARGEST_BYTES:
        return _only("validation.size", start, most=str(LARGEST_BYTES))
    if not _places.acquire(timeout=_WAIT_S):
        raise TooMany("validation.busy", retry_after_s=_WAIT_S, most=AT_ONCE)
    try:
        return _examined(sandbox, {"code": code, "params": dict(params or {}), "timeframe": timeframe or "1h"}, start)
    finally:
        _places.release()


def _examined(sandbox: Sandbox, said: Mapping[str, Any], start: float) -> Report:
    process = sandbox.start(LIMITS)
    try:
        return _read(process.ask("examine", said, timeout_s=LIMIT_S).values, start)
    except (BadInput, StrategyFailed) as error:
        return _only(error.key, start, **plain_params(error.params))
    except (KeyError, ValueError, TypeError):
        return _only("sandbox.malformed", start)
    finally:
        process.close()


def _only(key: str, start: float, **params: str) -> Report:
    finding = Finding(error=True, key=key, params=params)
    return Report(findings=(finding,), took_ms=_since(start))


def _since(start: float) -> float:
    return round(1_000 * (time.perf_counter() - start), 1)


def _read(said: Mapping[str, Any], start: float) -> Report:
    """Return what a jailed process says of the code; raise ValueError, KeyError or TypeError for nonsense."""
    about = said["about"]
    if not isinstance(about, dict):
        raise TypeError("about")
    return Report(
        findings=tuple(_finding(*one) for one in said["remarks"][:_MOST_FINDINGS]),
        took_ms=_since(start),
        strategy=plain(about.get("strategy", "")),
        shape=plain(about.get("shape", "")),
        params=tuple(_declared(one) for one in about.get("params", ())[:_MOST_PARAMS]),
        trades=_whole(about.get("trades")),
        proof=_proof(about["proof"]) if "proof" in about else None,
        decision_ms=None if about.get("decision_ms") is None else float(about["decision_ms"]),
    )


def _finding(error: Any, line: Any, column: Any, key: Any, said: Any) -> Finding:
    params = plain_params(said)
    if not sayable(key, params):
        raise ValueError("key")
    return Finding(error=error is True, key=key, params=params, line=_whole(line), column=_whole(column))


def _declared(said: Any) -> dict[str, Any]:
    known = {name: said[name] for name in ("name", "type", "default", "low", "high")}
    choices = said["choices"]
    values = [*known.values(), *(choices or ())]
    if any(
        not isinstance(value, str | int | float | None) or (isinstance(value, str) and len(value) > 200)
        for value in values
    ):
        raise TypeError("params")
    return known | {"choices": choices}


def _whole(said: Any) -> int | None:
    if said is not None and (type(said) is not int or not 0 <= said < 1_000_000_000):
        raise ValueError("number")
    return said


def _proof(said: Any) -> dict[str, str]:
    proof = {name: said[name] for name in ("look_ahead", "warm_up")}
    if not set(proof.values()) <= {"pass", "fail", "skipped"}:
        raise ValueError("proof")
    return proof
