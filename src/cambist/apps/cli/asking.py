"""Asking a running engine: put a request, wait for its answer."""

import time

import click

from cambist.apps import bootstrap
from cambist.domain.text import say
from cambist.ports.book import Register

_PATIENCE_S = 10.0
_LOOKED_EVERY_S = 0.1


def now_ms() -> int:
    """Return the time at which a person asks (ms)."""
    return bootstrap.running_clock().now_ms()


def put(register: Register, number: int) -> None:
    """Wait for what comes of request ``number``, and say it; if no engine answers, say when it will be done."""
    until = time.monotonic() + _PATIENCE_S
    while (request := register.request(number)).done_ms is None:
        if time.monotonic() > until:
            click.echo(say("asking.later"))
            return
        time.sleep(_LOOKED_EVERY_S)
    click.echo(request.answer)
