"""Calls received: whatever comes and whenever it is cut off, an alert is acted on once, and no secret stays."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.contract.book import an_account, fresh
from tests.contract.webhooks import NOW, a_webhook

from cambist.adapters.storage.register import SqlRegister
from cambist.adapters.storage.webhooks import SqlWebhooks
from cambist.domain.errors import BadInput, NotFound, ParseError
from cambist.domain.text import speak
from cambist.domain.webhook_body import FORM
from cambist.ports.webhooks import Came, Sender, Webhook
from cambist.usecases.receiving import Incoming, Reception, forbidden, signature, why_told

SECRET = "c4nary-s3cret-that-nobody-may-keep"
CALLS = 40
SENDER = """
import sys
from cambist.adapters.storage.webhooks import SqlWebhooks
from cambist.usecases.receiving import Incoming, Reception

url, webhook, now, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
reception = Reception(SqlWebhooks(url), secret_of=lambda _: "s", may_trade=lambda _: True)
for number in range(count):
    body = f"BUY BTCUSDT secret=s id={number}".encode()
    reception.receive(webhook, Incoming(body=body, content_type="text/plain", address="", received_ms=now))
    print(number, flush=True)
"""


@pytest.fixture
def webhook(database_url: str) -> Webhook:
    spec = an_account()
    SqlRegister(database_url).add_account(spec)
    made = a_webhook(1, spec.id, addresses=())
    SqlWebhooks(database_url).add(made)
    return made


@pytest.fixture
def reception(database_url: str) -> Reception:
    return Reception(SqlWebhooks(database_url), secret_of=lambda _: SECRET, may_trade=lambda _: True)


def came(body: bytes | str, **given: object) -> Incoming:
    plain = Incoming(
        body=body if isinstance(body, bytes) else body.encode(),
        content_type="text/plain",
        address="52.89.214.238",
        received_ms=NOW,
        secret=SECRET,
    )
    return replace(plain, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("after", [1, CALLS // 2, CALLS - 1])
def test_a_server_killed_in_the_middle_of_calls_has_acted_on_each_once(database_url, webhook, after):
    def send() -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", SENDER, database_url, webhook.id, str(NOW), str(CALLS)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    with send() as first:
        assert first.stdout is not None
        for _ in range(after):
            assert first.stdout.readline()
        first.kill()  # wherever it is
        told = after + len(first.stdout.readlines())  # it went on until then
    with send() as second:  # senders try again
        assert second.wait(300) == 0
    calls = SqlWebhooks(database_url).calls(webhook.id, limit=3 * CALLS)
    accepted = [call for call in calls if call.outcome is Came.ACCEPTED]
    asked = [one for one in SqlRegister(database_url).waiting() if one.account == webhook.account]
    assert len(accepted) == CALLS
    assert sorted(call.request or 0 for call in accepted) == [one.id for one in asked]
    assert told <= sum(call.outcome is Came.REPEATED for call in calls) <= told + 1


WORDS = st.sampled_from(
    [
        SECRET,
        "secret=",
        '"key": ',
        "{",
        "}",
        '"',
        "'",
        ":",
        "=",
        ",",
        " ",
        "\n",
        "\x00",
        "BUY",
        "BTCUSDT",
        "id",
        "{{",
        "}}",
    ]
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=60) | st.lists(WORDS, max_size=14).map(lambda words: "".join(words).encode()),
    content_type=st.sampled_from(["text/plain", "application/json", FORM]),
)
@example(body=b"\x00\xff \\u0000", content_type="text/plain")
@example(body=f'{{"note": "{SECRET}", "action": {SECRET}}}'.encode(), content_type="application/json")
@example(body=f'{{"action": "{SECRET}"}}'.encode(), content_type="application/json")
def test_whatever_an_owner_sends_is_kept_without_its_secret(database_url, reception, webhook, body, content_type):
    try:
        said = repr(reception.receive(webhook.id, came(body, content_type=content_type)))
    except (BadInput, ParseError) as error:
        said = str(error)
    assert SECRET not in said
    kept = SqlWebhooks(database_url).calls(webhook.id, limit=1)[0]
    assert SECRET not in repr(kept)
    for language in ("fr", "en"):
        speak(language)
        assert SECRET not in why_told(kept.why)
    json.dumps(kept.wish)


def test_secrets_stand_in_no_repr():
    call = came("x", nonce="n", signature="sha256=")
    assert SECRET not in repr(call)


@pytest.mark.parametrize(
    ("allowed", "address", "may"),
    [
        ((), "anything", True),
        (("52.89.214.238",), "52.89.214.238", True),
        (("52.89.214.238",), "::ffff:52.89.214.238", True),
        (("52.89.214.238",), "52.89.214.239", False),
        (("10.0.0.0/8", "2001:db8::/32"), "10.255.0.1", True),
        (("10.0.0.0/8", "2001:db8::/32"), "2001:db8::7", True),
        (("10.0.0.0/8",), "2001:db8::7", False),
        (("10.0.0.0/8",), "testclient", False),
    ],
)
def test_who_may_call(allowed, address, may):
    webhook = a_webhook(1, "main", addresses=allowed)
    assert (forbidden(webhook, SECRET, came("BUY", address=address)) is None) is may


def test_a_signature_is_over_moment_nonce_and_body():
    """The example of docs/webhooks.md, worked out with another program."""
    found = signature("topsecret", "1767225600", "n-00000001", b'{"action": "buy", "symbol": "BTCUSDT"}')
    assert found == "sha256=efdacd75423161df828a80eda8d1ab82d70ed0a64092e7cfb6a62f63939afc9d"
    webhook = a_webhook(1, "main", kind=Sender.GENERIC, addresses=())
    call = came("BUY", timestamp="1767225600", nonce="n-00000001", signature=found)
    assert forbidden(webhook, "topsecret", call) is not None


def test_an_unknown_webhook_is_not_found(reception):
    with pytest.raises(NotFound):
        reception.receive(fresh("nowhere"), came("BUY BTCUSDT"))
