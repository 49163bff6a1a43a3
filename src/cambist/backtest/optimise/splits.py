"""How a history is cut for a search: what is chosen on, and what the choice is then tried on.

Three ways: one cut (`holdout`), one step after the other (`Scheme`, `windows`), and every way of leaving some groups
out (`combinatorial`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from cambist.domain.errors import BadInput
from cambist.domain.search import BLOCKS, EXACT, TRIMMED, Span
from cambist.domain.timeframe import DAY_MS, MINUTE_MS

if TYPE_CHECKING:
    import numpy.typing as npt

Cut = tuple[Span, Span]
"""What is chosen on, and what the choice is tried on."""

_HOUR_MS = 60 * MINUTE_MS
_UNITS_MS = {"m": MINUTE_MS, "h": _HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS}
_TRAININGS = 3
"""Of a walk that is told as a number of windows: how many tests long the first training is at least."""
_WORTHWHILE = 4
"""Windows that a walk should have, where we say what would fit."""
_SHORT_MS = 10 * DAY_MS
"""Histories below this are cut at minutes, others at midnight (UTC): ratios are of whole days' returns."""


def holdout(whole: Span, share: float) -> Cut:
    """Cut ``whole`` in two: the first ``share`` of it to choose on, the rest to try the choice on.

    Raises `BadInput` unless both have something.
    """
    unit = _unit(whole.stop_ts - whole.start_ts)
    cut = whole.start_ts + round(share * (whole.stop_ts - whole.start_ts)) if 0.0 < share < 1.0 else whole.start_ts
    cut -= cut % unit
    if not whole.start_ts < cut < whole.stop_ts:
        raise BadInput("split", share, "walk.share")
    return Span(start_ts=whole.start_ts, stop_ts=cut), Span(start_ts=cut, stop_ts=whole.stop_ts)


# -- walks forward ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """A walk forward as a person writes it: lengths of training and test, or a number of windows."""

    train_ms: int = 0
    test_ms: int = 0
    count: int = 0
    """Of windows; if given, the lengths follow from the history's."""
    anchored: bool = False

    @classmethod
    def parse(cls, text: str) -> Scheme:
        """Return what ``90d/30d``, ``anchored:90d/30d``, ``6`` or ``anchored:6`` says; raise `BadInput`."""
        kind, _, told = text.strip().rpartition(":")
        if kind in ("", "anchored") and (":" in text) == (kind != ""):
            if re.fullmatch(r"[1-9]\d{0,3}", told):
                return cls(count=int(told), anchored=kind == "anchored")
            lengths = [_length(part) for part in told.split("/")]
            if len(lengths) == 2 and all(lengths):
                return cls(train_ms=lengths[0], test_ms=lengths[1], anchored=kind == "anchored")
        raise BadInput("walk_forward", text, "walk.form")

    def windows(self, whole: Span, *, purge_ms: int = 0, embargo_ms: int = 0) -> tuple[Cut, ...]:
        """Return the windows of this scheme over ``whole``, as `windows` does; raise `BadInput` if it does not fit."""
        train_ms, test_ms = self.train_ms, self.test_ms
        if self.count:
            length = whole.stop_ts - whole.start_ts
            share = length // (self.count + _TRAININGS)
            test_ms = share - share % (DAY_MS if share >= DAY_MS else MINUTE_MS)
            train_ms = length - self.count * test_ms
            if not test_ms:
                fit = max(1, length // MINUTE_MS - _TRAININGS)
                raise BadInput("walk_forward", self.count, "walk.too_many", history=written(length), fit=fit)
        return windows(
            whole,
            train_ms=train_ms,
            test_ms=test_ms,
            anchored=self.anchored,
            purge_ms=purge_ms,
            embargo_ms=embargo_ms,
        )


def windows(
    whole: Span, *, train_ms: int, test_ms: int, anchored: bool = False, purge_ms: int = 0, embargo_ms: int = 0
) -> tuple[Cut, ...]:
    """Return the windows (training, test) of a walk forward over ``whole``; all lengths are in ms.

    The first training begins with the history and is ``train_ms`` long. Tests follow each other without gap or
    overlap and cover everything after it; each is ``test_ms`` long, but the last takes what is left: between a half
    and one and a half of that. Each training ends where its test begins, less ``purge_ms``; it is ``train_ms`` long
    with those, or, ``anchored``, begins with the history.

    No training of a walk follows its own test, so that there is little to embargo: a training that rolls on never
    begins within ``embargo_ms`` of the end of an earlier test, where what was held in that test may still echo.

    Raises `BadInput`, saying what would fit, if the history is too short.
    """
    length = whole.stop_ts - whole.start_ts
    if train_ms <= 0 or test_ms <= 0:
        raise BadInput("walk_forward", f"{written(train_ms)}/{written(test_ms)}", "walk.form")
    if length < train_ms + test_ms:
        raise BadInput(
            "walk_forward",
            f"{written(train_ms)}/{written(test_ms)}",
            "walk.too_short",
            needed=written(train_ms + test_ms),
            history=written(length),
            fit=_fitting(length, train_ms, test_ms),
        )
    if not 0 <= purge_ms < train_ms:
        raise BadInput("purge", written(purge_ms), "walk.purge", train=written(train_ms))
    starts = range(whole.start_ts + train_ms, whole.stop_ts, test_ms)
    if len(starts) > 1 and 2 * (whole.stop_ts - starts[-1]) < test_ms:
        starts = starts[:-1]  # what is left is too little to be judged alone
    stops = [*starts[1:], whole.stop_ts]
    cuts = []
    for start, stop in zip(starts, stops, strict=True):
        begin = whole.start_ts
        if not anchored:
            begin = _after_embargo(start - train_ms, stops, embargo_ms)
        if begin >= start - purge_ms:
            raise BadInput("embargo", written(embargo_ms), "walk.embargo", test=written(test_ms))
        cuts.append((Span(start_ts=begin, stop_ts=start - purge_ms), Span(start_ts=start, stop_ts=stop)))
    return tuple(cuts)


def _after_embargo(begin: int, stops: list[int], embargo_ms: int) -> int:
    """Return the first moment from ``begin`` that is not within ``embargo_ms`` of one of ``stops`` (rising)."""
    place = bisect_right(stops, begin) - 1
    while 0 <= place < len(stops) and stops[place] <= begin < stops[place] + embargo_ms:
        begin = stops[place] + embargo_ms
        place += 1
    return begin


def duration(field: str, text: str) -> int:
    """Return the length (ms) that ``30m``, ``12h``, ``90d`` or ``2w`` says, ``0`` too; raise `BadInput`."""
    if text.strip() == "0":
        return 0
    if not (length := _length(text)):
        raise BadInput(field, text, "walk.duration")
    return length


def written(length_ms: int) -> str:
    """Return a length (ms) as `duration` reads it, in the largest unit up to days that fits; else to a tenth of one."""
    for unit in ("d", "h", "m"):
        if length_ms % _UNITS_MS[unit] == 0:
            return f"{length_ms // _UNITS_MS[unit]}{unit}"
    unit = next((unit for unit in ("d", "h", "m") if length_ms >= _UNITS_MS[unit]), "m")
    return f"{length_ms / _UNITS_MS[unit]:.1f}{unit}"


def _length(text: str) -> int:
    """Return the length (ms) that ``text`` says, 0 if it says none."""
    found = re.fullmatch(r"\s*(\d{1,8})([mhdw])\s*", text)
    return int(found[1]) * _UNITS_MS[found[2]] if found else 0


def _fitting(length: int, train_ms: int, test_ms: int) -> str:
    """Return lengths in the proportion of these of which ``length`` (ms) holds some windows, as one writes them."""
    share = length / (train_ms + _WORTHWHILE * test_ms)
    unit = next((unit for unit in (DAY_MS, _HOUR_MS) if share * min(train_ms, test_ms) >= unit), MINUTE_MS)
    train, test = (max(1, int(share * part / unit)) * unit for part in (train_ms, test_ms))
    return f"{written(train)}/{written(test)}"


def _unit(length: int) -> int:
    return MINUTE_MS if length < _SHORT_MS else DAY_MS


# -- combinatorial splits ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Combinatorial:
    """Every way of leaving ``tested`` of ``groups`` out, and the histories that the tests make up.

    M. Lopez de Prado, Advances in Financial Machine Learning, 2018, section 12.4.
    """

    groups: int
    tested: int
    splits: tuple[tuple[int, ...], ...]
    """Per split, the groups that it tests."""
    paths: tuple[tuple[int, ...], ...]
    """Per path and group, the number of the split whose test gives that group's results."""


def combinatorial(groups: int, tested: int) -> Combinatorial:
    """Return all C(n, k) splits of n groups of which k are tested, and their k / n * C(n, k) paths.

    Each group is tested in as many splits as there are paths: the first of them goes into the first path, and so on,
    so that each path has each group once and each test is used once. Raises `BadInput` unless 0 < k < n <= `BLOCKS`.
    """
    if not 2 <= groups <= BLOCKS:
        raise BadInput("groups", groups, "number.between", low="2", high=str(BLOCKS))
    if not 1 <= tested < groups:
        raise BadInput("tested", tested, "number.between", low="1", high=str(groups - 1))
    splits = tuple(combinations(range(groups), tested))
    columns = [[number for number, split in enumerate(splits) if group in split] for group in range(groups)]
    return Combinatorial(groups=groups, tested=tested, splits=splits, paths=tuple(zip(*columns, strict=True)))


def blocks_of(group: int, groups: int) -> range:
    """Return the blocks of a group: neighbours, as many in each group as can be (one more in some)."""
    return range(group * BLOCKS // groups, (group + 1) * BLOCKS // groups)


def trained(split: tuple[int, ...], groups: int) -> npt.NDArray[np.bool_]:
    """Return which moments a split trains on: shape (2, BLOCKS), sets and blocks as in `cambist.domain.search`.

    A block next to one that is tested counts without what is within reach of its ends: that is purge (before a test)
    and embargo (after it). No block counts twice.
    """
    test = np.zeros(BLOCKS, np.bool_)
    for group in split:
        test[blocks_of(group, groups)] = True
    near = np.zeros(BLOCKS, np.bool_)
    near[1:] |= test[:-1]
    near[:-1] |= test[1:]
    chosen = np.zeros((2, BLOCKS), np.bool_)
    chosen[EXACT] = ~test & ~near
    chosen[TRIMMED] = ~test & near
    return chosen
