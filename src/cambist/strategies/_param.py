"""Parameters of strategies: declared in the class, typed, bounded, given by keyword."""

from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite
from typing import Any, ClassVar, TypeVar, cast

from cambist.domain.errors import BadInput

T = TypeVar("T", int, float, bool, str)


@dataclass(frozen=True, slots=True)
class Param:
    """One declared parameter."""

    default: Any
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] | None = None

    def read(self, name: str, value: Any) -> Any:
        """Return ``value`` (text is parsed) as this parameter's type and within its bounds; raise `BadInput`."""
        kind = type(self.default)
        try:
            if kind is bool and isinstance(value, str):
                number: Any = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[
                    value.lower()
                ]
            elif kind is int and float(value) != int(float(value)):
                raise ValueError(value)
            else:
                number = int(float(value)) if kind is int else kind(value)
            if kind is float and not isfinite(number):
                raise ValueError(value)
        except (ValueError, TypeError, KeyError, OverflowError):
            raise BadInput(name, value, "param.type", type=kind.__name__) from None
        if self.choices is not None and number not in self.choices:
            raise BadInput(name, value, "param.choices", choices=", ".join(map(str, self.choices)))
        low, high = self.low, self.high
        if (low is not None and number < low) or (high is not None and number > high):
            shown = {"low": "-∞" if low is None else low, "high": "∞" if high is None else high}
            raise BadInput(name, value, "number.between", **shown)
        return number


def param(
    default: T, *, low: float | None = None, high: float | None = None, choices: tuple[T, ...] | None = None
) -> T:
    """Declare a parameter of a strategy: its default (which gives its type) and the values that it may take."""
    declared = Param(default, low, high, choices)
    declared.read("default", default)
    return cast(T, declared)  # within an instance the name holds the value


class Parametrised:
    """A class whose ``name = param(default, ...)`` lines are its keyword arguments."""

    params: ClassVar[dict[str, Param]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Param)}
        cls.params = {**cls.params, **own}

    def _take(self, given: dict[str, Any]) -> None:
        for name in given:
            if name not in self.params:
                near = get_close_matches(name, self.params, 1)
                raise BadInput(name, given[name], "param.unknown", known=", ".join(near or self.params) or "-")
        for name, declared in self.params.items():
            setattr(self, name, declared.read(name, given[name]) if name in given else declared.default)

    def values(self) -> dict[str, Any]:
        """Return the parameters and their values."""
        return {name: getattr(self, name) for name in self.params}
