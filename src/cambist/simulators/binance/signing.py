"""Who asks: API keys, HMAC signatures and timestamps, checked as Binance checks them."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping

from cambist.simulators.binance.refusals import Refused, missing

_AHEAD_MS = 1_000
_WINDOW_MS, _LONGEST_WINDOW_MS = 5_000, 60_000
_KEY = re.compile(r"[A-Za-z0-9_-]{1,128}")
_SIGNATURE = re.compile(r"(?:^|&)signature=[^&]*")


def key_of(key: str | None, known: Mapping[str, object]) -> str:
    """Return the API key, checked against those known; raise `Refused` (-2014, -2015)."""
    if not key or not _KEY.fullmatch(key):
        raise Refused(-2014, "API-key format invalid.", 401)
    if key not in known:
        raise Refused(-2015, "Invalid API-key, IP, or permissions for action.", 401)
    return key


def check_signature(secret: str, payload: str, signature: str | None) -> None:
    """Raise `Refused` unless ``signature`` is that of ``payload``: the raw query and body, the signature taken out."""
    if not signature:
        raise missing("signature")
    expected = hmac.new(secret.encode(), _SIGNATURE.sub("", payload).lstrip("&").encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature):
        raise Refused(-1022, "Signature for this request is not valid.")


def check_time(params: Mapping[str, str], clocks: Iterable[tuple[int, int]]) -> None:
    """Raise `Refused` unless the request was made within its window by one of the exchange's ``clocks``.

    A clock is (time, grace), both ms; the grace is added to the window.
    """
    try:
        made, window = int(params["timestamp"]), int(float(params.get("recvWindow") or _WINDOW_MS))
    except (KeyError, ValueError):
        raise missing("timestamp") from None
    if window > _LONGEST_WINDOW_MS:
        raise Refused(-1131, "recvWindow must be less than 60000.")
    late = [(now - made, grace) for now, grace in clocks]
    if any(-_AHEAD_MS <= by <= window + grace for by, grace in late):
        return
    if all(by < -_AHEAD_MS for by, _ in late):
        raise Refused(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    raise Refused(-1021, "Timestamp for this request is outside of the recvWindow.")


def signed_text(params: Mapping[str, object]) -> str:
    """Return what is signed of a WebSocket request: its parameters in the order of their names."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature")
