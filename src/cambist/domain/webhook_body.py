"""What came over a webhook, as named pieces of text: JSON, ``key=value``, ``key: value``, or plain words.

Nothing here knows what the pieces mean, but for the names that a body may give them.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from cambist.domain.errors import BadInput, ParseError

FORM = "application/x-www-form-urlencoded"
_SHOWN = 80
"""Characters of a value that an error repeats."""
_WRAPPERS = frozenset({"data", "payload", "alert", "order", "trade", "signal", "message", "body", "params"})
"""Objects that hold the fields, as in ``{"data": {"ticker": ...}}``."""
_PLACEHOLDER = re.compile(r"\{\{[^{}\n]{0,80}\}\}")
_NAME = re.compile(r"[\"']?([A-Za-z_][\w .-]{0,60}?)[\"']?[ \t]{0,9}[:=]")
_SECRET = re.compile(
    r"(?<![a-z0-9])(?:secret|passphrase|password|token|key|auth)[\"']?\s{0,9}[:=]\s{0,9}"
    r"(?:\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|([^\s,;&{}\[\]\"']+))",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
HIDDEN = "***"
WORDS = "(words)"
Pieces = dict[str, str]
"""Each field that came, by its name in small letters and digits alone: ``stopLoss`` and ``stop-loss`` are ``stoploss``.
Plain words stand under `WORDS`, one space between two."""


def read_text(body: bytes) -> str:
    """Return a body as text; raise `ParseError` if it is none."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError("webhook.not_text", at=error.start) from None
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n")).strip()


def secrets_in(text: str) -> list[str]:
    """Return every value that stands where a secret is told; the body need not be well formed."""
    return ["".join(found.groups("")) for found in _SECRET.finditer(text)]


def without_secrets(text: str, known: Iterable[str] = ()) -> str:
    """Return ``text`` with every secret hidden: those that stand where one is told, and ``known`` wherever it is."""

    def hidden(found: re.Match[str]) -> str:
        start, end = found.span(found.lastindex or 0)
        mark = f'"{HIDDEN}"' if found.lastindex == 3 and text[:1] == "{" else HIDDEN  # JSON stays JSON
        return found[0][: start - found.start()] + mark + found[0][end - found.start() :]

    text = _SECRET.sub(hidden, text)
    for secret in known:
        text = text.replace(secret, HIDDEN)
    return text


def pieces(text: str, content_type: str = "") -> Pieces:
    """Return the fields in a body. Raises `ParseError` and `BadInput`, whatever it holds."""
    _no_placeholders(text)
    if not text:
        raise ParseError("webhook.empty")
    if text[0] in "{[":
        try:
            return _gathered(_flat(_json(text), ()))
        except RecursionError:
            raise ParseError("webhook.nested") from None
    if content_type == FORM and "=" in text and not re.search(r"[\s,;]", text):
        return _gathered(parse_qsl(text))
    return _gathered(_loose(text))


def shown(value: str) -> str:
    """Return as much of ``value`` as an error repeats."""
    return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"


def canonical(name: str) -> str:
    """Return the name of a field as `Pieces` has it."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _no_placeholders(text: str) -> None:
    found = _PLACEHOLDER.search(text)
    if found is None:
        return
    names = _NAME.findall(text[max(0, found.start() - 200) : found.start()])
    raise BadInput(names[-1] if names else "body", shown(found[0]), "webhook.placeholder")


def _json(text: str) -> dict[str, Any]:
    def twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise BadInput(shown(_clean(name)), shown(_text(value)), "webhook.twice")
            found[name] = value
        return found

    def not_finite(name: str) -> NoReturn:
        raise BadInput("body", name, "webhook.number")

    try:
        # numbers stay the text they are
        found = json.loads(text, object_pairs_hook=twice, parse_float=str, parse_int=str, parse_constant=not_finite)
    except json.JSONDecodeError as error:
        near = shown(text.split("\n")[error.lineno - 1][error.colno - 1 :].strip())
        key = "webhook.json_comment" if near.startswith(("//", "/*", "#")) else "webhook.json"
        raise BadInput("body", near, key, line=error.lineno, column=error.colno, why=error.msg) from None
    if not isinstance(found, dict):
        raise BadInput("body", shown(text), "webhook.json_object")
    return found


def _flat(value: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name, one in value.items():
        inner = (*path, canonical(name))
        if isinstance(one, dict):
            yield from _flat(one, inner)
        else:
            yield _unwrapped(inner), _text(one)


def _unwrapped(path: tuple[str, ...]) -> str:
    """Return the name of a field inside objects: ``data.ticker`` is ``ticker``, but an order's id is no alert's."""
    rest = path
    while len(rest) > 1 and rest[0] in _WRAPPERS:
        rest = rest[1:]
    name = "".join(rest)
    return f"order{name}" if name in IDS and "order" in path[:-1] else name


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _clean(value if isinstance(value, str) else json.dumps(value))


def _clean(text: str) -> str:
    """Return ``text`` without what an escape may hide in JSON and no database or answer can hold."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.encode("utf-8", "replace").decode("utf-8")).strip()


def _loose(text: str) -> Iterator[tuple[str, str]]:
    for segment in re.split(r"[\n,;&|]", text):
        if "=" in segment:
            yield from _equations(segment)
            continue
        name, colon, value = segment.partition(":")
        if colon and (canonical(name) in NAMES or (value[:1].isspace() and canonical(name))):
            yield name, value
        else:
            yield from ((WORDS, word) for word in segment.split())


def _equations(segment: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs of ``BUY BTCUSDT qty=0.1 comment=first try``: what may hold spaces ends at the next name."""
    *heads, tail = segment.split("=")
    name = ""
    for number, chunk in enumerate((*heads, tail)):
        words = chunk.split()
        following = words.pop() if number < len(heads) and words else ""
        if number < len(heads) and not canonical(following):
            raise BadInput("body", shown(segment.strip()), "webhook.no_name")
        if not name:
            yield from ((WORDS, word) for word in words)
        elif canonical(name) in NAMES:
            yield name, words[0] if words else ""
            yield from ((WORDS, word) for word in words[1:])
        else:
            yield name, " ".join(words)
        name = following


def _gathered(pairs: Iterable[tuple[str, str]]) -> Pieces:
    found: Pieces = {}
    for name, text in pairs:
        key, value = canonical(name), _clean(text)
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1].strip()
        if name == WORDS:
            found[WORDS] = f"{found[WORDS]} {value}" if WORDS in found else value
        elif value and value.lower() != "null":
            if found.get(key, value) != value:
                raise BadInput(shown(name.strip()), shown(value), "webhook.twice")
            found[key] = value
    return found


ACTIONS = ("action", "side", "strategyorderaction", "orderaction", "orderside")
LOOSE_ACTIONS = ("signal", "order", "direction")
SYMBOLS = ("symbol", "ticker", "pair", "instrument", "tickerid")
QUANTITIES = (
    "qty",
    "quantity",
    "contracts",
    "size",
    "amount",
    "ordercontracts",
    "strategyordercontracts",
    "orderqty",
    "orderquantity",
)
NOTIONALS = ("notional", "quoteqty", "quoteamount", "cost", "usdt", "usdc", "usd")
PERCENTS = ("percent", "pct", "percentage", "sizepercent", "sizepct")
PRICES = ("price", "close", "orderprice", "strategyorderprice")
LIMITS = ("limit", "limitprice")
TYPES = ("type", "ordertype")
STOPS = ("sl", "stop", "stoploss", "stoplossprice", "slprice")
STOP_PERCENTS = ("slpercent", "slpct", "stoplosspercent", "stoplosspct")
TARGETS = ("tp", "takeprofit", "takeprofitprice", "tpprice")
TARGET_PERCENTS = ("tppercent", "tppct", "takeprofitpercent", "takeprofitpct")
TRAILS = ("trailingstop", "trailing", "trail", "trailpercent", "trailingpercent", "trailingstoppercent")
POSITIONS = ("marketposition", "strategymarketposition")
BEFORE = ("prevmarketposition", "strategyprevmarketposition")
POSITION_SIZES = ("positionsize", "strategypositionsize", "marketpositionsize", "strategymarketpositionsize")
REDUCE = ("reduceonly", "closeposition")
TIMES = ("timenow", "timestamp", "time")
IDS = ("id", "alertid", "eventid", "nonce")
SECRETS = ("secret", "passphrase", "password", "token", "key", "auth")

_SPACED = frozenset({*IDS, *TIMES})
MEANT = frozenset(
    {
        *ACTIONS,
        *LOOSE_ACTIONS,
        *SYMBOLS,
        *QUANTITIES,
        *NOTIONALS,
        *PERCENTS,
        *PRICES,
        *LIMITS,
        *TYPES,
        *STOPS,
        *STOP_PERCENTS,
        *TARGETS,
        *TARGET_PERCENTS,
        *TRAILS,
        *POSITIONS,
        *BEFORE,
        *POSITION_SIZES,
        *REDUCE,
        *TIMES,
        *IDS,
        *SECRETS,
        WORDS,
    }
)
"""Every name that means something to us; all others are left aside."""
NAMES = MEANT - _SPACED
"""Those whose values hold no spaces."""
