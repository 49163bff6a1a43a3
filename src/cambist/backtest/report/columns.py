"""Columns of numbers, packed small enough to travel inside a page; ``data.js`` unpacks them.

A column becomes integers (values times a power of ten), then differences between neighbours, folded to be positive,
cut into byte planes (all lowest bytes first, then all next ones...), deflated and written in base64. Prices in real
markets are decimals, so this loses nothing; where numbers have no short decimal form (indicators, equity), they are
rounded to a twentieth of their usual step from one candle to the next: finer than a screen shows at any zoom.
What must be exact to the last bit (trades) is packed as raw floats.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

Spec = dict[str, Any]
"""What ``data.js`` needs to unpack one column."""

_MOST_DIGITS = 12
# Differences of such integers, folded, stay below 2**53: JavaScript's numbers hold them exactly.
_LARGEST = 2.0**51
_SAMPLE = 512
_FINENESS = 20


class Columns:
    """The columns of one page. Equal columns are stored once: strategies compared on one market share its candles."""

    def __init__(self) -> None:
        self.blobs: dict[str, str] = {}
        """Name to base64 text, in the order of first use."""

    def integers(self, values: Ints, *, order: int = 1) -> Spec:
        """Pack integers. ``order`` is how often neighbours are subtracted: 2 for times, which advance evenly."""
        return self._pack(values, digits=0, order=order, gaps=None)

    def decimals(self, values: Floats, *, digits: int | None = None, least: int = 0) -> Spec:
        """Pack floats, gaps (NaN, infinities) allowed, with ``digits`` decimals or as many as they deserve."""
        known = np.isfinite(values)
        gaps = None if known.all() else ~known
        if gaps is not None:
            values = _carried(values, known)
        if digits is None:
            digits = max(least, digits_of(values))
        if values.size and float(np.abs(values).max()) * 10.0**digits >= _LARGEST:
            return self.exact(np.where(known, values, np.nan))
        return self._pack(_scaled(values, digits), digits=digits, order=1, gaps=gaps)

    def exact(self, values: Floats) -> Spec:
        """Pack floats bit for bit."""
        planes = np.ascontiguousarray(values, dtype="<f8").view(np.uint8).reshape(-1, 8).T
        return {"n": int(values.size), "raw": True, "blob": self._store(planes.tobytes())}

    def scaled(self, values: Floats, of: Floats) -> Spec | None:
        """Return how ``values`` follow from ``of`` (a factor and an offset), or None if they do not follow a line.

        Buy and hold is a multiple of the market's closes: saying so is shorter than repeating them.
        """
        if values.size != of.size or values.size < 2:
            return None
        low, high = int(of.argmin()), int(of.argmax())
        if of[low] == of[high]:
            return None
        factor = float((values[high] - values[low]) / (of[high] - of[low]))
        offset = float(values[low] - factor * of[low])
        if not np.allclose(factor * of + offset, values, rtol=1e-9, atol=1e-9):
            return None
        return {"factor": factor, "offset": offset}

    def candles(self, open_: Floats, high: Floats, low: Floats, close: Floats) -> dict[str, Spec]:
        """Pack prices by how they relate: open to the last close, high and low to the candle's body."""
        digits = max((digits_of(prices) for prices in (open_, high, low, close)), default=0)
        top = max((float(np.abs(prices).max()) for prices in (open_, high, low, close) if prices.size), default=0.0)
        if top * 10.0**digits >= _LARGEST or not all(np.isfinite(p).all() for p in (open_, high, low, close)):
            columns = {"open": open_, "high": high, "low": low, "close": close}
            return {name: self.exact(column) for name, column in columns.items()}
        o, h, lo, c = (_scaled(prices, digits) for prices in (open_, high, low, close))
        before = np.concatenate((o[:1], c[:-1]))
        parts = {
            "close": (c, 1),
            "open": (o - before, 0),
            "high": (h - np.maximum(o, c), 0),
            "low": (np.minimum(o, c) - lo, 0),
        }
        packed = {
            name: self._pack(ints, digits=digits, order=order, gaps=None) for name, (ints, order) in parts.items()
        }
        packed["open"]["first"] = int(o[0]) if o.size else 0
        for name in ("open", "high", "low"):
            packed[name]["related"] = True
        return packed

    def _pack(self, values: Ints, *, digits: int, order: int, gaps: npt.NDArray[np.bool_] | None) -> Spec:
        steps = values.astype(np.int64)
        for _ in range(order):
            steps = np.diff(steps, prepend=np.int64(0))
        folded = ((steps << 1) ^ (steps >> 63)).astype("<u8")  # 0 -1 1 -2 2 ... becomes 0 1 2 3 4 ...
        width = max(1, (int(folded.max()).bit_length() + 7) // 8) if folded.size else 1
        planes = folded.view(np.uint8).reshape(-1, 8)[:, :width].T
        body = planes.tobytes()
        spec: Spec = {"n": int(values.size), "digits": digits, "order": order, "width": width}
        if gaps is not None:
            body += np.packbits(gaps).tobytes()
            spec["gaps"] = True
        spec["blob"] = self._store(body)
        return spec

    def _store(self, body: bytes) -> str:
        name = hashlib.sha256(body).hexdigest()[:16]
        if name not in self.blobs:
            self.blobs[name] = base64.b64encode(zlib.compress(body, 6)).decode("ascii")
        return name


def digits_of(values: Floats) -> int:
    """Return how many decimals ``values`` deserve: as many as they have, or a twentieth of their usual step."""
    known = values[np.isfinite(values)]
    if not known.size:
        return 0
    sample = known[:: max(1, known.size // _SAMPLE)]
    for digits in range(_MOST_DIGITS + 1):
        if _is_decimal(sample, digits) and _is_decimal(known, digits):
            return digits
    steps = np.abs(np.diff(known))
    steps = steps[steps > 0]
    usual = float(np.median(steps)) if steps.size else abs(float(known[0])) * 1e-6
    if usual <= 0:
        return 0
    return int(np.clip(np.ceil(-np.log10(usual / _FINENESS)), 0, 300))


def _is_decimal(values: Floats, digits: int) -> bool:
    scale = 10.0**digits
    with np.errstate(over="ignore"):
        return bool((np.rint(values * scale) / scale == values).all())


def _scaled(values: Floats, digits: int) -> Ints:
    return np.rint(values * 10.0**digits).astype(np.int64)


def _carried(values: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """Fill gaps with the last known value, so that differences stay small."""
    if not known.any():
        return np.zeros_like(values)
    last = np.maximum.accumulate(np.where(known, np.arange(values.size), -1))
    first = int(known.argmax())
    return values[np.where(last < 0, first, last)]
