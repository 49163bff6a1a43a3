"""How many requests a venue grants, and who goes first: pure arithmetic, the time is always an argument.

A request costs something in one bucket or in several (an address's weight, a key's order count, a seat among those that
are on their way) and leaves when there is room in all of them. The urgent leave before the others; among equals the
first comes first. A part of each bucket is kept for cancellations and protections.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from enum import Enum, IntEnum
from heapq import heapify, heappop, heappush

from cambist.domain.record import record


class Urgency(IntEnum):
    """Why a request is made; the lower leaves first."""

    CANCEL = 0
    PROTECTIVE = 1
    ORDER = 2
    ACCOUNT = 3
    MARKET = 4

    @property
    def reserved(self) -> bool:
        """Whether the reserve is kept for it."""
        return self <= Urgency.PROTECTIVE


class Returns(Enum):
    """When what was spent comes back."""

    AFTER = "after"
    """Each unit ``per_ms`` after it was spent: no span of ``per_ms`` ever sees more than the capacity."""
    STEADILY = "steadily"
    """A whole capacity in ``per_ms``, evenly: the counter that some venues publish."""
    WHEN_DONE = "when done"
    """With the answer: so many may be on their way at once."""


@record(kw_only=True)
class Limit:
    """What one bucket holds, in whole units, and how much of it the unhurried must leave."""

    capacity: int
    per_ms: int = 0
    returns: Returns = Returns.AFTER
    reserve: int = 0

    def ceiling(self, urgency: Urgency) -> int:
        """Return how full a request of ``urgency`` may make the bucket."""
        return self.capacity if urgency.reserved else self.capacity - self.reserve


class _Bucket:
    """How much of one limit is in use."""

    __slots__ = ("_in_use", "_seen_ms", "_spent", "limit")

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._in_use = 0  # of a steady one: in units of 1/per_ms, at _seen_ms
        self._seen_ms = 0
        self._spent: deque[tuple[int, int]] = deque()

    def used(self, now_ms: int) -> int:
        """Return how much is in use; part of a unit counts as one."""
        if self.limit.returns is Returns.STEADILY:
            self._in_use = max(0, self._in_use - max(0, now_ms - self._seen_ms) * self.limit.capacity)
            self._seen_ms = max(self._seen_ms, now_ms)
            return -(-self._in_use // self.limit.per_ms)
        while self._spent and self._spent[0][0] + self.limit.per_ms <= now_ms:
            self._in_use -= self._spent.popleft()[1]
        return self._in_use

    def spend(self, amount: int, now_ms: int) -> None:
        self.used(now_ms)
        if self.limit.returns is Returns.STEADILY:
            self._in_use += amount * self.limit.per_ms
            return
        self._in_use += amount
        if self.limit.returns is Returns.AFTER:
            self._spent.append((now_ms, amount))

    def give_back(self, amount: int) -> None:
        if self.limit.returns is Returns.WHEN_DONE:
            self._in_use -= amount

    def free_at(self, amount: int, urgency: Urgency, now_ms: int) -> int | None:
        """Return when ``amount`` has room, ``now_ms`` if it has it now; None if only an answer can tell."""
        ceiling = self.limit.ceiling(urgency)
        excess = self.used(now_ms) + min(amount, ceiling) - ceiling  # what is too large for any time has an empty one
        if excess <= 0:
            return now_ms
        if self.limit.returns is Returns.WHEN_DONE:
            return None
        if self.limit.returns is Returns.STEADILY:
            wanted = (ceiling - min(amount, ceiling)) * self.limit.per_ms
            return now_ms - (wanted - self._in_use) // self.limit.capacity
        for spent_ms, spent in self._spent:
            excess -= spent
            if excess <= 0:
                return spent_ms + self.limit.per_ms
        return now_ms + self.limit.per_ms


class Ticket:
    """A request that waits for its turn: its urgency, and what it costs in which bucket."""

    __slots__ = ("costs", "keys", "rank", "urgency", "withdrawn")

    def __init__(self, urgency: Urgency, costs: Mapping[str, int]) -> None:
        self.urgency = urgency
        self.costs = {key: amount for key, amount in costs.items() if amount > 0}
        self.keys = tuple(sorted(costs))
        self.rank = (int(urgency), 0)
        self.withdrawn = False


class Budget:
    """All buckets of one venue, the requests that wait for them, and the bans."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}
        self._lanes: dict[tuple[str, ...], list[tuple[tuple[int, int], Ticket]]] = {}
        self._bans: dict[str, int] = {}
        self._count = 0

    def open(self, key: str, limit: Limit) -> None:
        """Make the bucket ``key``, unless there is one."""
        if key not in self._buckets:
            self._buckets[key] = _Bucket(limit)

    def used(self, key: str, now_ms: int) -> int:
        """Return how much of ``key`` is in use."""
        return self._buckets[key].used(now_ms)

    def ask(self, ticket: Ticket) -> None:
        """Let ``ticket`` wait for its turn; every key on which it spends must be open."""
        self._count += 1
        ticket.rank = (int(ticket.urgency), self._count)
        heappush(self._lanes.setdefault(ticket.keys, []), (ticket.rank, ticket))

    def withdraw(self, ticket: Ticket) -> None:
        """Take ``ticket`` out of the queue: it will not be taken any more."""
        ticket.withdrawn = True

    def take(self, now_ms: int) -> list[Ticket]:
        """Return the tickets that leave now, in order; their costs are spent."""
        leaving: list[Ticket] = []
        short: set[str] = set()
        heads = [(lane[0][0], keys) for keys, lane in self._lanes.items()]
        heapify(heads)
        while heads:
            keys = heappop(heads)[1]
            lane = self._lanes[keys]
            ticket = lane[0][1]
            if not ticket.withdrawn:
                lacking = [key for key in keys if key in short or self._free_at(key, ticket, now_ms) != now_ms]
                if lacking:
                    short.update(lacking)  # whoever is less urgent must not overtake by being smaller
                    continue
                for key, amount in ticket.costs.items():
                    self._buckets[key].spend(amount, now_ms)
                leaving.append(ticket)
            heappop(lane)
            if lane:
                heappush(heads, (lane[0][0], keys))
            else:
                del self._lanes[keys]
        return leaving

    def next_ms(self, now_ms: int) -> int | None:
        """Return when a waiting ticket may leave at the earliest; None if none waits, or only for an answer."""
        soonest: int | None = None
        for lane in self._lanes.values():
            ticket = lane[0][1]
            when = [self._free_at(key, ticket, now_ms) for key in ticket.keys]
            known = [ms for ms in when if ms is not None]
            if len(known) == len(when):
                latest = max(known, default=now_ms)
                soonest = latest if soonest is None else min(soonest, latest)
        return soonest

    def done(self, ticket: Ticket) -> None:
        """Say that the answer to a ticket that left is there."""
        for key, amount in ticket.costs.items():
            self._buckets[key].give_back(amount)

    def learn(self, key: str, used: int, now_ms: int) -> None:
        """Take the venue's word on how much of ``key`` is in use: others may spend from the same budget.

        Less than we count ourselves is not believed: what is on its way has not been counted there yet.
        """
        bucket = self._buckets.get(key)
        if bucket is not None and used > bucket.used(now_ms):
            bucket.spend(used - bucket.used(now_ms), now_ms)

    def ban(self, key: str, until_ms: int) -> None:
        """Let nothing that names ``key`` leave before ``until_ms``."""
        self._bans[key] = max(until_ms, self._bans.get(key, 0))

    def banned_until(self, keys: Iterable[str], now_ms: int) -> int | None:
        """Return until when one of ``keys`` is banned, None if none is."""
        ends = [self._bans[key] for key in keys if self._bans.get(key, 0) > now_ms]
        return max(ends, default=None)

    def lifted(self, now_ms: int) -> list[str]:
        """Forget the bans that are over and return their keys."""
        over = [key for key, until_ms in self._bans.items() if until_ms <= now_ms]
        for key in over:
            del self._bans[key]
        return over

    def _free_at(self, key: str, ticket: Ticket, now_ms: int) -> int | None:
        banned = max(now_ms, self._bans.get(key, 0))
        bucket, amount = self._buckets.get(key), ticket.costs.get(key, 0)
        if bucket is None or not amount:
            return banned
        free = bucket.free_at(amount, ticket.urgency, now_ms)
        return None if free is None else max(free, banned)
