"""What a venue asks for before it obeys an account."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An account's keys. Neither ``repr`` nor ``str`` shows any of them."""

    api_key: str = field(repr=False)
    secret: str = field(repr=False)
    password: str = field(default="", repr=False)
    """The pass phrase that some venues add (Bitget, OKX)."""
    uid: str = field(default="", repr=False)
