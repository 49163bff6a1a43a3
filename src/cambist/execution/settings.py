"""What people set for an account, as JSON, made into limits and breaker rules.

``{"limits": {"max_order_notional": "500", "max_open_positions": 3},
"breaker": {"from_peak": {"halve": "0.05", "flatten": "0.2"}, "from_opening": {"no_entries": "0.03"}}}``

Numbers are text or integers, never floats; null means none. What is left out keeps its default. A name that is not
known is an error, for a limit that was misspelt would limit nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from cambist.domain.errors import BadInput
from cambist.domain.trading import BreakerStage
from cambist.execution.breaker import BreakerRules, Falls
from cambist.execution.limits import Limits

_WHOLE = frozenset(field.name for field in fields(Limits) if field.type == int | None)
_LIMITS = tuple(field.name for field in fields(Limits))
_RULES = ("from_peak", "from_opening")
_STAGES = tuple(stage.name.lower() for stage in BreakerStage if stage)


def limits_of(settings: Mapping[str, Any] | None) -> Limits:
    """Return the limits that ``settings`` name; raise `BadInput` naming the field as ``limits.<name>``."""
    given = _object(settings, "limits", _LIMITS)
    found = {name: _number(f"limits.{name}", value, whole=name in _WHOLE) for name, value in given.items()}
    try:
        return Limits(**found)
    except BadInput as error:
        raise BadInput(f"limits.{error.field}", error.value, error.key, **error.params) from None


def capped(limits: Limits, caps: Mapping[str, Any]) -> Limits:
    """Return ``limits`` made as narrow as what an admin allows a person: ``max_notional`` over all their accounts,
    ``max_daily_loss`` of each. Raises `BadInput` for a cap that is no amount."""
    found: dict[str, Any] = {}
    for name, cap in (("max_user_notional", "max_notional"), ("max_daily_loss", "max_daily_loss")):
        most = _number(f"limits.{cap}", caps.get(cap), whole=False)
        own = getattr(limits, name)
        if most is not None and (own is None or most < own):
            found[name] = most
    return replace(limits, **found)


def rules_of(settings: Mapping[str, Any] | None) -> BreakerRules:
    """Return the breaker rules that ``settings`` name; raise `BadInput` as for ``breaker.<from>.<stage>``."""
    rules = _object(settings, "breaker", _RULES)
    return BreakerRules(**{name: _falls(f"breaker.{name}", rules, name) for name in rules})


def _falls(field: str, rules: Mapping[str, Any], name: str) -> Falls | None:
    if rules[name] is None:
        return None
    given = _object(rules, name, _STAGES, field)
    found = {stage: _number(f"{field}.{stage}", value, whole=False) for stage, value in given.items()}
    try:
        return Falls(**found)
    except BadInput as error:
        raise BadInput(f"{field}.{error.field}", error.value, error.key, **error.params) from None


def _object(settings: Mapping[str, Any] | None, name: str, known: Iterable[str], field: str = "") -> Mapping[str, Any]:
    """Return the object under ``name``, empty if there is none; raise `BadInput` if it holds what is not known."""
    given = (settings or {}).get(name)
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise BadInput(field or name, given, "settings.object")
    for key, value in given.items():
        if key not in known:
            raise BadInput(f"{field or name}.{key}", value, "settings.unknown", known=", ".join(known))
    return given


def _number(field: str, value: Any, *, whole: bool) -> Any:
    if value is None:
        return None
    try:
        number = Decimal(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise BadInput(field, value, "settings.number")
    if not whole:
        return number
    if number != number.to_integral_value():
        raise BadInput(field, value, "settings.integer")
    return int(number)
