import inspect
from email.utils import formatdate
from time import time
from types import SimpleNamespace

import pytest

from cambist.adapters.venues.ccxt.errors import TABLE, retry_after_s, translate
from cambist.adapters.venues.ccxt.lazy import error_classes
from cambist.domain.errors import (
    BadInput,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    VenueRefused,
    VenueUnavailable,
)

CLASSES: dict[str, type[Exception]] = dict(inspect.getmembers(error_classes(), inspect.isclass))


def answered(status: int, headers: dict | None = None) -> Exception:
    error = RuntimeError("HTTP")
    error.response = SimpleNamespace(status_code=status, headers=headers or {})  # type: ignore[attr-defined]
    return error


def test_every_class_of_ccxt_has_its_row():
    assert set(TABLE) == set(CLASSES)


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_class_is_translated(name):
    asked = translate(CLASSES[name]("kraken went wrong"), "kraken")
    assert type(asked) is TABLE[name][0]
    assert str(asked)
    assert type(translate(CLASSES[name]("kraken went wrong"), "kraken", ordering=True)) is TABLE[name][1]


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_an_order_whose_answer_was_lost_is_never_taken_for_refused(name):
    lost = issubclass(CLASSES[name], CLASSES["OperationFailed"])
    told_to_slow_down = name in ("DDoSProtection", "RateLimitExceeded")
    if lost and not told_to_slow_down and name != "InvalidNonce":
        assert TABLE[name][1] is OutcomeUnknown


def test_a_class_that_ccxt_may_add_is_taken_for_its_parent():
    newer = type("SomethingNew", (CLASSES["OrderNotFound"],), {})
    assert type(translate(newer("x"), "kraken")) is NotFound


def test_an_answer_that_a_parser_did_not_expect_may_be_asked_for_again():
    assert type(translate(KeyError("symbols"), "kraken")) is VenueUnavailable
    assert type(translate(KeyError("symbols"), "kraken", ordering=True)) is OutcomeUnknown


@pytest.mark.parametrize(("status", "kind"), [(451, VenueRefused), (403, VenueRefused), (503, VenueUnavailable)])
def test_a_refusal_that_ccxt_calls_unavailable_is_not_asked_for_again(status, kind):
    error = CLASSES["ExchangeNotAvailable"]("no")
    error.__cause__ = answered(status)
    assert type(translate(error, "kraken")) is kind


def test_retry_after_comes_from_the_answer_behind_the_error():
    error = CLASSES["RateLimitExceeded"]("slow down")
    error.__context__ = answered(429, {"Retry-After": "12"})
    limited = translate(error, "kraken")
    assert isinstance(limited, RateLimited)
    assert limited.retry_after_s == 12.0


@pytest.mark.parametrize(("header", "seconds"), [(None, None), ("7", 7.0), ("1.5", 1.5), ("-3", 0.0), ("soon", None)])
def test_retry_after_in_seconds(header, seconds):
    assert retry_after_s(header) == seconds


def test_retry_after_as_a_date():
    asked = retry_after_s(formatdate(time() + 90, usegmt=True))
    assert asked is not None
    assert 87 < asked <= 90


def test_what_people_read_has_no_addresses_and_no_mark_up():
    page = "<html><head><style>a{}</style><title>502</title></head><body><h1>Bad gateway</h1></body></html>"
    error = CLASSES["ExchangeNotAvailable"](f"kraken GET https://api.kraken.com/0/public/OHLC?x=1 502 {page}")
    error.__cause__ = answered(502)
    assert str(translate(error, "kraken")) == "kraken did not answer as it should: 502 Bad gateway"


def test_input_errors_name_the_input():
    assert isinstance(translate(CLASSES["InvalidAddress"]("kraken bad address"), "kraken"), BadInput)
