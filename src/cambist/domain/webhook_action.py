"""What an alert wants done: the words that people use for it, and what TradingView tells of positions."""

from collections.abc import Iterable

from cambist.domain.errors import BadInput
from cambist.domain.webhook_body import ACTIONS, BEFORE, LOOSE_ACTIONS, POSITIONS, REDUCE, Pieces, canonical, shown

_BUY = frozenset({"buy", "long", "enterlong", "entrylong", "openlong", "golong"})
_SELL = frozenset({"sell"})
_SHORT = frozenset({"short", "entershort", "entryshort", "openshort", "goshort", "sellshort"})
_EXIT = frozenset(
    {
        "exit",
        "close",
        "flat",
        "flatten",
        "closeall",
        "closeposition",
        "exitall",
        "exitposition",
        "exitlong",
        "closelong",
        "exitshort",
        "closeshort",
    }
)
_CANCEL = frozenset({"cancel", "cancelall", "cancelorder", "cancelorders"})
_OPEN = frozenset({"open", "enter", "entry"})
_MEANINGS = {"buy": _BUY, "sell": _SELL, "short": _SHORT, "exit": _EXIT, "cancel": _CANCEL, "open": _OPEN}
ACTION_WORDS: frozenset[str] = frozenset().union(*_MEANINGS.values())
ORDER_TYPES = ("market", "limit")
_TRUE = frozenset({"true", "1", "yes", "on"})


def action_of(found: Pieces, *, spot: bool) -> str:
    """Return ``buy``, ``sell`` (short, on what can be), ``exit`` or ``cancel``."""
    said = _said(found)
    after, before = position(found, POSITIONS), position(found, BEFORE)
    if said is None:
        said = _from_position(found, after, before)
    elif after is not None and said in ("buy", "sell", "short"):
        said = _within_position(found, "buy" if said == "buy" else "sell", after, before, spot=spot)
    if said in ("buy", "sell", "short") and any(found[name].lower() in _TRUE for name in REDUCE if name in found):
        return "exit"
    if spot and said == "short":
        raise BadInput(_name(found, (*ACTIONS, *LOOSE_ACTIONS, *POSITIONS)), "short", "webhook.spot_short")
    if said == "sell":
        return "exit" if spot else "sell"
    return "sell" if said == "short" else said


def _said(found: Pieces) -> str | None:
    """Return what the fields that name an action say together; None if there is none."""
    names = [name for name in ACTIONS if name in found]
    if not names:
        names = [name for name in (*LOOSE_ACTIONS, "type") if name in found and found[name].lower() not in ORDER_TYPES]
    meanings = {name: _meaning(name, found[name]) for name in names}
    kinds = set(meanings.values())
    for strong in ("cancel", "exit"):  # "close, long" and "exit, sell" say how, not what else
        if strong in kinds and kinds <= {strong, "buy", "sell", "short"}:
            return strong
    sided = kinds - {"open"}
    if sided == {"sell", "short"}:
        return "short"
    if len(sided) > 1:
        other, name = names[0], names[1]
        raise BadInput(name, shown(found[name]), "webhook.differs", other=other, said=shown(found[other]))
    if kinds and not sided:
        raise BadInput(names[0], shown(found[names[0]]), "webhook.open_what")
    if kinds == {"open", "sell"}:
        return "short"
    return next(iter(sided), None)


def _meaning(name: str, text: str) -> str:
    word = canonical(text)
    for meaning, words in _MEANINGS.items():
        if word in words:
            return meaning
    raise BadInput(name, shown(text), "webhook.action")


def position(found: Pieces, names: Iterable[str]) -> str | None:
    """Return ``long``, ``short`` or ``flat``, None if none of ``names`` says; raise `BadInput`."""
    for name in names:
        if name in found:
            word = found[name].lower()
            if word not in ("long", "short", "flat"):
                raise BadInput(name, shown(found[name]), "webhook.position")
            return word
    return None


def _from_position(found: Pieces, after: str | None, before: str | None) -> str:
    if after is None:
        raise BadInput("action", "", "webhook.no_action")
    if after == before:
        raise BadInput(_name(found, POSITIONS), after, "webhook.same_position")
    return {"long": "buy", "short": "short", "flat": "exit"}[after]


def _within_position(found: Pieces, action: str, after: str, before: str | None, *, spot: bool) -> str:
    """Return what ``action`` means to who will then hold ``after``, as TradingView tells it."""
    if after == "flat":
        return "exit"
    towards = {"buy": "long", "sell": "short"}[action]
    if after != towards:
        raise BadInput(_name(found, POSITIONS), after, "webhook.part", action=action)
    if spot and action == "sell" and before == "long":
        return "exit"  # what it goes on to sell, nobody holds
    return "buy" if action == "buy" else "short"


def _name(found: Pieces, names: Iterable[str]) -> str:
    return next((name for name in names if name in found), "body")
