"""Recorded streams, as the venues sent them."""

import csv
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_DATA = Path(__file__).resolve().parents[2].parent / "shared/data"


def shared(name: str) -> Path:
    """Return a file of the shared data; skip the test where it is absent."""
    path = _DATA / name
    if not path.exists():
        pytest.skip(f"the recorded data (../shared/data/{name}) is not on this machine")
    return path


def session(name: str) -> Iterator[tuple[int, str]]:
    """Yield (received ms, text) of each message of a recorded session."""
    with gzip.open(shared(f"02-books-ws/cryptofeed/{name}.txt.gz"), "rt") as lines:
        for line in lines:
            head, _, text = line.rstrip("\n").partition(": ")
            if head.replace(".", "", 1).isdigit():
                yield int(float(head) * 1000), text


def answers(name: str) -> Iterator[tuple[str, str]]:
    """Yield (address, body) of each REST answer of a recorded session."""
    with gzip.open(shared(f"02-books-ws/cryptofeed/{name}.txt.gz"), "rt") as lines:
        for line in lines:
            address, arrow, rest = line.rstrip("\n").partition(" -> ")
            if arrow:
                yield address, rest.partition(": ")[2]


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a recorded stream that was stored as a table."""
    with gzip.open(shared(f"02-books-ws/binance_streams/{name}.csv.gz"), "rt") as lines:
        return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def depth_messages(name: str) -> list[tuple[int, str]]:
    """Return (received, in the table's unit; text as the venue sent it) of each message of a table of book changes."""
    messages: dict[tuple[str, str, str], dict[str, Any]] = {}
    received: dict[tuple[str, str, str], int] = {}
    for row in rows(name):
        key = row["TimestampOfReceive"], row["FirstUpdateId"], row["FinalUpdateId"]
        received[key] = int(row["TimestampOfReceive"])
        data = messages.setdefault(
            key,
            {
                "e": row["EventType"],
                "E": int(row["EventTime"]),
                "s": row["Symbol"],
                "U": int(row["FirstUpdateId"]),
                "u": int(row["FinalUpdateId"]),
                "b": [],
                "a": [],
            },
        )
        data["a" if row["IsAsk"] == "1" else "b"].append([row["Price"], row["Quantity"]])
    return [(received[key], _wrapped("trxusdt@depth@100ms", data)) for key, data in messages.items()]


def trade_messages(name: str) -> list[tuple[int, str]]:
    """Return (received, in the table's unit; text as the venue sent it) of each message of a table of trades."""
    return [
        (
            int(row["TimestampOfReceive"]),
            _wrapped(
                row["Stream"],
                {
                    "e": row["EventType"],
                    "E": int(row["EventTime"]),
                    "s": row["Symbol"],
                    "t": int(row["TradeId"]),
                    "p": row["Price"],
                    "q": row["Quantity"],
                    "T": int(row["TransactionTime"]),
                    "m": row["IsBuyerMarketMaker"] == "1",
                    "M": True,
                },
            ),
        )
        for row in rows(name)
    ]


def _wrapped(stream: str, data: dict[str, Any]) -> str:
    return json.dumps({"stream": stream, "data": data})
