"""The gateway: every exchange loaded once, its budget shared by all, a venue for each account."""

from collections.abc import Callable

from cambist.adapters.venues.ccxt.lazy import exchange_class, venues
from cambist.adapters.venues.ccxt.place import Place, Progress
from cambist.adapters.venues.ccxt.quirks import QUIRKS, Quirks, TryOut, quirks_of
from cambist.adapters.venues.ccxt.trading import CcxtVenue
from cambist.domain.credentials import Credentials
from cambist.domain.errors import BadInput, VenueRefused
from cambist.ports.budget import BudgetMemory


class Gateway:
    """Opens venues. Lives in one event loop; `close` it there.

    ``base_url`` sends every request and every socket to another host (the project's simulators): the address
    ``https://host/path`` becomes ``base_url/host/path``. ``memory`` keeps bans over restarts, ``progress`` hears of
    the loading of markets. ``now_ms`` is our clock (default: the machine's), ``speed`` how fast it
    runs: others only before a simulator that lives by the same.
    """

    def __init__(
        self,
        *,
        base_url: str | None = None,
        timeout_s: float = 10.0,
        memory: BudgetMemory | None = None,
        progress: Progress | None = None,
        now_ms: Callable[[], int] | None = None,
        speed: float = 1.0,
    ) -> None:
        self._now_ms, self._speed = now_ms, speed
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._memory = memory
        self._progress = progress
        self._places: dict[tuple[str, bool], Place] = {}

    def venue(self, account_id: str, exchange: str, credentials: Credentials, *, testnet: bool = False) -> CcxtVenue:
        """Return the venue of one account; nothing is asked of the exchange yet.

        Raises `BadInput` for an exchange that ccxt does not know and for credentials that lack a part, `VenueRefused`
        where there is no testnet, or no way to trade safely.
        """
        place = self.place(exchange, testnet=testnet)
        lacking = [name for name in place.quirks.needs if not getattr(credentials, name)]
        if lacking:
            raise BadInput("credentials", ", ".join(lacking), "venue.credentials", venue=place.name)
        return CcxtVenue(account_id, place, credentials)

    def place(self, exchange: str, *, testnet: bool = False) -> Place:
        """Return the one instance of ``exchange`` (or of its testnet) that all accounts share."""
        name = exchange.lower()
        if (name, testnet) not in self._places:
            quirks = quirks_row(name)
            if testnet and quirks.testnet is TryOut.NONE:
                raise VenueRefused("venue.no_testnet", venue=name, others=", ".join(_with_testnet()))
            self._places[name, testnet] = Place(
                quirks,
                testnet=testnet,
                base_url=self._base_url,
                timeout_s=self._timeout_s,
                memory=self._memory,
                progress=self._progress,
                now_ms=self._now_ms,
                speed=self._speed,
            )
        return self._places[name, testnet]

    async def close(self) -> None:
        """Close all connections; orders stay at their venues."""
        for place in self._places.values():
            await place.close()
        self._places.clear()


def quirks_row(name: str) -> Quirks:
    """Return what must be known of the exchange ``name``; raise `BadInput` for one that ccxt does not know."""
    if name in QUIRKS:
        return QUIRKS[name]
    if name not in venues("ccxt.pro"):
        raise BadInput("venue", name, "venue.known", near=", ".join(sorted(QUIRKS)), count=len(venues("ccxt.pro")))
    described = exchange_class(name, "ccxt.pro")()
    has = dict(described.has) | {"sandbox": bool(described.urls.get("test"))}  # every class names it, most with None
    return quirks_of(name, has, float(described.rateLimit))


def _with_testnet() -> list[str]:
    return sorted(name for name, row in QUIRKS.items() if row.testnet is not TryOut.NONE)
