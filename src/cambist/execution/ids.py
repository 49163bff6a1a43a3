"""Client order ids: pure functions of what they name, in a form that every venue takes."""

from base64 import b32encode
from hashlib import blake2b

LENGTH = 18
"""The shortest limit among the venues (Kraken's ``cl_ord_id`` as free text)."""


def client_id(order_id: str, symbol: str, attempt: int = 1) -> str:
    """Return the id under which attempt ``attempt`` at an order goes to its venue.

    ``order_id`` is the engine's own: bot, cause and leg. The same arguments give the same id on any day and machine,
    so a venue that has seen it refuses it as a duplicate, and an order whose answer was lost can be asked for.
    85 bits of a hash, written in 18 letters and digits, the first a letter: two orders of one account in a billion
    billion share one.
    """
    digest = blake2b(f"{order_id}|{symbol}|{attempt}".encode(), digest_size=11).digest()
    return "c" + b32encode(digest).decode().lower()[: LENGTH - 1]
