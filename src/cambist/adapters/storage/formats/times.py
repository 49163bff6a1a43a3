"""Times as files write them, to milliseconds since the epoch: numbers of any unit, dates of any usual form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cambist.adapters.storage.formats.rows import floats

if TYPE_CHECKING:
    from cambist.domain.candles import Ints

Flags = npt.NDArray[np.bool_]

_FORMS = (
    "ISO8601",
    "%Y-%m-%d %I-%p",  # CryptoDataDownload
    "%Y-%m-%d %I:%M %p",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y %H:%M:%S.%f",  # Dukascopy
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%Y%m%d %H%M%S",
    "%Y%m%d %H:%M:%S",
    "%d %b %Y %H:%M",
    "%b %d, %Y",
    "%Y%m%d",
)
_PROBE = 200
# Below each bound (in its own unit) lies every moment until the year 5138: a number tells its unit by its size.
_SECONDS_BELOW, _MILLIS_BELOW, _MICROS_BELOW = 10**11, 10**14, 10**17


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Times of rows: ``ms`` since the epoch (0 where unreadable)."""

    ms: Ints
    unreadable: Flags
    rounded: Flags
    """Written as 1.53011E+12: a spreadsheet has thrown digits away."""
    zoneless: bool = False
    """Dates that name no time zone; they are read as UTC."""
    ambiguous: bool = False
    """Day and month cannot be told apart."""


def moments(column: Any) -> Moments:
    """Return the times in ``column``: text, numbers (s, ms, us or ns, row by row) or arrow dates."""
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _of_dates(column, zoneless=getattr(kind, "tz", None) is None)
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return _of_numbers(column, np.zeros(len(column), dtype=np.bool_))
    text = pc.utf8_trim_whitespace(column)
    numeric = np.isfinite(floats(text))
    if numeric.mean() > 0.5 and not _are_days(text):
        rounded = np.array(pc.match_substring_regex(text, "^[0-9.]+[eE]").to_numpy(zero_copy_only=False))
        return _of_numbers(text, rounded)
    return _of_text(text)


def _are_days(text: Any) -> bool:
    """Tell 20240131 from seconds: as seconds it would lie in 1970."""
    return bool(pc.all(pc.match_substring_regex(text[:_PROBE], "^(19|20)[0-9]{6}$")).as_py())


def _of_numbers(column: Any, rounded: Flags) -> Moments:
    try:  # whole numbers exactly: nanoseconds do not fit into a float
        values: Any = np.array(pc.cast(column, pa.int64()).to_numpy(zero_copy_only=False))
        if values.dtype != np.int64:
            raise pa.ArrowInvalid("empty cells")
        unreadable = np.zeros(values.size, dtype=np.bool_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        values = floats(column)
        unreadable = ~np.isfinite(values)
        values = np.where(unreadable, 0.0, values)
    size = np.abs(values)
    units = [size < _SECONDS_BELOW, size < _MILLIS_BELOW, size < _MICROS_BELOW]
    ms = np.select(units, [values * 1000, values, values // 1000], values // 1_000_000)
    return Moments(ms=np.rint(ms).astype(np.int64), unreadable=unreadable, rounded=rounded)


def _of_dates(column: Any, *, zoneless: bool) -> Moments:
    unreadable = np.array(pc.is_null(column).to_numpy(zero_copy_only=False))
    zone = getattr(column.type, "tz", None)
    ms = pc.cast(column, pa.timestamp("ms", zone), safe=False)
    filled = pc.fill_null(pc.cast(ms, pa.int64()), 0)
    none = np.zeros(len(column), dtype=np.bool_)
    return Moments(
        ms=np.array(filled.to_numpy(zero_copy_only=False)), unreadable=unreadable, rounded=none, zoneless=zoneless
    )


def _of_text(text: Any) -> Moments:
    import pandas as pd  # its date parser is compiled; nothing else here needs it

    series = pd.Series(text.to_pylist(), dtype=object)

    def parse(form: str, part: Any) -> Any:
        return pd.to_datetime(part, format=form, utc=True, errors="coerce")

    probe = series.iloc[:_PROBE]
    scores = {form: int(parse(form, probe).notna().sum()) for form in _FORMS}
    best = max(scores.values())
    # several forms may read the first rows (is 3/4 in March or in April?): all rows decide
    read = [parse(form, series) for form, score in scores.items() if score == best]
    fewest = min(int(one.isna().sum()) for one in read)
    read = [one for one in read if int(one.isna().sum()) == fewest]
    strays = [_uneven_steps(one) for one in read]
    read = [one for one, count in zip(read, strays, strict=True) if count == min(strays)]
    chosen = read[0]
    ms = chosen.dt.tz_localize(None).to_numpy().astype("datetime64[ms]").astype(np.int64)
    unreadable = chosen.isna().to_numpy()
    return Moments(
        ms=np.where(unreadable, 0, ms),
        unreadable=unreadable,
        rounded=np.zeros(ms.size, dtype=np.bool_),
        zoneless=not bool(series.iloc[:1].str.contains(r"Z|[+-]\d{2}:?\d{2}$|UTC|GMT", regex=True).any()),
        ambiguous=any(not one.equals(chosen) for one in read),
    )


def _uneven_steps(dates: Any) -> int:
    """Count the steps that are not the commonest: candles read with day and month swapped leap about."""
    steps = dates.diff().dropna()
    return int(steps.size - steps.value_counts().max()) if steps.size else 0
