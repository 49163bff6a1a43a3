"""Logs: structured, one line each, without secrets; what libraries log by the standard way goes the same road.

Every line has ``ts`` (UTC), ``level``, ``logger`` and ``event``, and ``account`` and ``bot`` where they are known:
given with the line (``log.info("...", bot=...)``, or ``extra={"bot": ...}`` of the standard library), or for all lines
of a task, with `about`.
"""

import logging
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from contextlib import AbstractContextManager, suppress
from math import isfinite
from threading import Lock
from typing import Any, Literal, TextIO
from urllib.parse import quote, quote_plus

import structlog

Form = Literal["json", "console"]

REDACTED = "[redacted]"
_SHORTEST = 4
"""Characters of the shortest value that is looked for in texts; shorter ones would black out half the log."""

_NAMES = "secret|passw(?:or)?d|passphrase|token|api[_-]?key|authorization|signature|private[_-]?key|listen_?key|cookie"
_SECRET_NAME = re.compile(_NAMES, re.IGNORECASE)
_ASSIGNED = re.compile(
    rf"((?:{_NAMES})[\w-]{{0,32}}[\"']?\s*[=:]\s*[\"']?(?:(?:bearer|basic)\s+)?)([^\s&\"',;}})]+)", re.IGNORECASE
)
_IN_URL = re.compile(r"(\w://[^\s:/@]*:)([^\s@/]+)(@)")
_OURS = re.compile(r"\b(?:cambist_[0-9a-f]{32}_|[0-9a-f]{32}\.)[0-9a-f]{64}\b|\beyJ[\w-]+\.[\w-]+\.[\w-]+")
"""API tokens, refresh tokens and invitations, access tokens: known by their form."""


class Redactor:
    """Takes secrets out of log lines: what stands under a name like theirs, and every value that it was told of.

    The last of the processors before a line is written, so that texts of errors have passed it as well.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._values: set[str] = set()
        self._known: re.Pattern[str] | None = None
        self._lock = Lock()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Never show ``secret`` from here on, written as it is or as in a URL; of at least four characters."""
        if len(secret) < _SHORTEST or secret in self._values:
            return
        with self._lock:
            self._known = None  # made anew for the next text: with each of many secrets it would take their square
            self._values |= {secret, quote(secret, safe=""), quote_plus(secret)}

    def __call__(self, logger: Any, method: str, line: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``line`` without secrets and with plain values only, as structlog's processors do."""
        del logger, method
        return {self.text(str(name)): self._value(name, value) for name, value in line.items()}

    def text(self, text: str) -> str:
        """Return ``text`` without secrets."""
        known = self._known or self._made()
        if known is not None:
            text = known.sub(REDACTED, text)
        text = _OURS.sub(REDACTED, text)
        text = _IN_URL.sub(rf"\g<1>{REDACTED}\g<3>", text)
        return _ASSIGNED.sub(rf"\g<1>{REDACTED}", text)

    def _made(self) -> re.Pattern[str] | None:
        with self._lock:
            if self._known is None and self._values:
                longest_first = sorted(self._values, key=len, reverse=True)
                self._known = re.compile("|".join(map(re.escape, longest_first)))
            return self._known

    def _value(self, name: object, value: Any) -> Any:
        if isinstance(name, str) and value is not None and _SECRET_NAME.search(name):
            return REDACTED
        if value is None or isinstance(value, int) or (isinstance(value, float) and isfinite(value)):
            return value
        if isinstance(value, Mapping):
            return {self.text(str(key)): self._value(key, inner) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value(None, inner) for inner in value]
        return self.text(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))


_hidden = Redactor()
"""What `hide` was told of in this process, whenever logging is set up."""


def hide(secret: str) -> None:
    """Show ``secret`` in no log line of this process from here on."""
    _hidden.add(secret)


def set_up(
    *,
    level: str = "info",
    form: Form = "json",
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> Redactor:
    """Set up all logging of this process, anew if it was; return what to tell of secrets that come later.

    ``level`` is the lowest that is written (``debug info warning error critical``), ``stream`` where to (standard error
    by default).
    """
    redactor = Redactor(secrets)
    out = stream or sys.stderr
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # loggers made before this call obey it too
    )
    rendered: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=out.isatty(), timestamp_key="ts", exception_formatter=structlog.dev.plain_traceback
        )
    )
    handler = _OurHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _once],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,
                redactor,
                _hidden,
                rendered,
            ],
        )
    )
    root = logging.getLogger()
    for old in [known for known in root.handlers if isinstance(known, _OurHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    return redactor


def about(**known: object) -> AbstractContextManager[None]:
    """Put ``account=..., bot=...`` into all lines that are logged within (in this task and those that it starts)."""
    return structlog.contextvars.bound_contextvars(**known)


def _once(logger: Any, method: str, line: MutableMapping[str, Any]) -> dict[str, Any]:
    """Drop what another handler of the same line has left on it."""
    del logger, method
    return {name: value for name, value in line.items() if name not in ("message", "asctime")}


class _OurHandler(logging.StreamHandler[TextIO]):
    """The handler that `set_up` put there."""

    def handleError(self, record: logging.LogRecord) -> None:  # the standard one would print what nobody has redacted
        """Say on standard error that a line could not be written, and whose, but nothing of what it says."""
        kind = getattr(sys.exc_info()[0], "__name__", "")
        with suppress(OSError, ValueError):
            sys.stderr.write(f"a log line of {record.name}:{record.lineno} could not be written ({kind})\n")
