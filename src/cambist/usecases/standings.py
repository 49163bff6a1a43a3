"""How accounts stand, for readers outside of the engine: read off their journals, and kept until these go on."""

from collections.abc import Iterable

from cambist.domain.account import AccountSpec
from cambist.domain.standing import AccountStanding
from cambist.engine.standing import account_standing
from cambist.usecases.past import History


class Standings:
    """The standings of one person's accounts."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._last: dict[str, AccountStanding] = {}

    def of(self, accounts: Iterable[AccountSpec]) -> list[AccountStanding]:
        """Return how ``accounts`` stand where their journals end; whether their venues answer only an engine knows."""
        known = self._history.known()
        return [self._one(spec, known[spec.id].seq if spec.id in known else 0) for spec in accounts]

    def _one(self, spec: AccountSpec, seq: int) -> AccountStanding:
        last = self._last.get(spec.id)
        if last is None or last.seq != seq:
            last = self._last[spec.id] = account_standing(self._history.now(spec).account, seq)
        return last
