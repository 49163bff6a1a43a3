"""What ``data.js`` does to the columns of a page, in Python."""

import base64
import zlib

import numpy as np

from cambist.backtest.report.columns import Spec


def unpack(spec: Spec, blobs: dict[str, str]) -> np.ndarray:
    """Return the column that was packed."""
    body = np.frombuffer(zlib.decompress(base64.b64decode(blobs[spec["blob"]])), np.uint8)
    size = spec["n"]
    if spec.get("raw"):
        return np.ascontiguousarray(body.reshape(8, size).T).view("<f8").ravel().astype(np.float64)
    width = spec["width"]
    folded = np.zeros(size, np.uint64)
    for k in range(width):
        folded |= body[k * size : (k + 1) * size].astype(np.uint64) << np.uint64(8 * k)
    half = (folded >> np.uint64(1)).astype(np.int64)
    values = np.where(folded & np.uint64(1), -half - 1, half)
    for _ in range(spec["order"]):
        values = np.cumsum(values)
    column: np.ndarray = values / 10.0 ** spec["digits"]
    if spec.get("gaps"):
        column[np.unpackbits(body[width * size :], count=size).astype(bool)] = np.nan
    return column


def unpack_candles(specs: dict[str, Spec], blobs: dict[str, str]) -> dict[str, np.ndarray]:
    """Return open, high, low and close as they were packed by `Columns.candles`."""
    parts = {name: unpack(spec, blobs) for name, spec in specs.items()}
    if not specs["open"].get("related"):
        return parts
    scale = 10.0 ** specs["close"]["digits"]
    ints = {name: np.rint(part * scale) for name, part in parts.items()}
    close = ints["close"]
    open_ = ints["open"] + np.concatenate(([specs["open"]["first"]], close[:-1]))[: close.size]
    high = ints["high"] + np.maximum(open_, close)
    low = np.minimum(open_, close) - ints["low"]
    return {"open": open_ / scale, "high": high / scale, "low": low / scale, "close": close / scale}
