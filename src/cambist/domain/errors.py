"""Everything that can go wrong, as one tree. Each leaf says whether a retry helps.

CambistError
├── BadInput               what a person gave is wrong: field, value, what would be right (no retry)
│   ├── BadCandles         a file or series breaks the rules of candles; carries the rows (no retry)
│   └── BadStrategy        a strategy cannot be loaded or breaks its contract (no retry)
├── StrategyFailed         a strategy raised while it ran; names the candle (no retry)
├── NotFound               what was asked for does not exist (no retry)
├── NotSignedIn            nobody knows who is asking (after signing in)
├── NotAllowed             who is asking may not (no retry)
├── Taken                  what is asked clashes with what is there (after a look)
├── TooMany                a limit is reached; `retry_after_s` if time alone helps (later, or never)
├── StorageFailed          files or database did not obey (perhaps)
│   └── JournalFenced      another engine writes this account now: stop at once (no retry)
├── BusFailed              a message could not be handed over (retry with back-off)
├── CrewFailed             the workers of a search are gone or cannot be reached (retry: what is done is kept)
├── AssistantRefused       the assistant is off, or its service understood and said no (no retry)
├── AssistantFailed        the assistant's service did not answer, or not properly; `retry_after_s` (retry later)
├── ParseError             a venue's message is not what its documents say; holds its beginning (no retry)
├── Stopped                a person pressed Ctrl-C; says how far it came (again, if wished)
└── VenueError             a venue did not give what was asked
    ├── VenueRefused       it understood and said no (no retry)
    ├── VenueUnavailable   network, 5xx, maintenance (retry with back-off)
    │   └── RateLimited    429 or a ban; `retry_after_s` if the venue said so (retry later)
    └── OutcomeUnknown     an order may or may not exist (never retry: ask the venue)

Texts live in `cambist.domain.text`, in English and French; an error carries a key and its parameters.
"""

import copyreg
from collections.abc import Sequence
from dataclasses import dataclass

from cambist.domain.text import say


class CambistError(Exception):
    """The root of all errors that Cambist raises on purpose; ``str(error)`` is in the language in use."""

    def __init__(self, key: str, **params: object) -> None:
        super().__init__(key, params)
        self.key = key
        self.params = params

    def __str__(self) -> str:
        return say(self.key, **self.params)

    def __reduce__(self) -> tuple[object, ...]:
        """Let errors travel between processes: `Exception` would give ``args`` to an ``__init__`` that takes others."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class BadInput(CambistError):
    """A value that a person gave is wrong: names the field, the value, and what would be right."""

    def __init__(self, field: str, value: object, remedy: str, **params: object) -> None:
        super().__init__(remedy, **params)
        self.field = field
        self.value = value

    def __str__(self) -> str:
        remedy = say(self.key, **self.params)
        if self.value == "":
            return say("error.bad_field", field=self.field, remedy=remedy)
        return say("error.bad_input", field=self.field, value=self.value, remedy=remedy)


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row of candles that breaks a rule."""

    row: int
    """Position in the file, counted as people do: the first data row is 1."""
    what: str
    """The offending cells, as they stand in the file."""
    key: str
    """Text key of the rule that it breaks (``candles.rule.*``)."""

    def __str__(self) -> str:
        return say("candles.bad_row", row=self.row, what=self.what, why=say(self.key))


class BadCandles(BadInput):
    """A file or series breaks the rules of candles. ``rows`` names each bad row (at most some thousands)."""

    def __init__(
        self, source: str, rows: Sequence[BadRow] = (), remedy: str = "candles.refused", **params: object
    ) -> None:
        super().__init__("candles", source, remedy, count=len(rows), **params)
        self.source = source
        self.rows = tuple(rows)


class BadStrategy(BadInput):
    """A strategy cannot be loaded, or does not keep its contract."""


class StrategyFailed(CambistError):
    """A strategy raised while it ran; the cause is chained, the text names the candle and the line."""


class NotFound(CambistError):
    """What was asked for does not exist."""


class NotSignedIn(CambistError):
    """Nobody knows who is asking: no proof came with the request, or it holds no more."""


class NotAllowed(CambistError):
    """Who is asking may not do this."""


class Taken(CambistError):
    """What is asked clashes with what is there: a name that is taken, a version that somebody has changed meanwhile."""


class TooMany(CambistError):
    """A limit is reached; ``retry_after_s`` says when time alone will have helped."""

    def __init__(self, key: str, retry_after_s: float | None = None, **params: object) -> None:
        super().__init__(key, **params)
        self.retry_after_s = retry_after_s


class StorageFailed(CambistError):
    """Files or the database did not obey."""


class JournalFenced(StorageFailed):
    """Another engine has written to this account's journal: whoever sees this is not its writer any more."""


class BusFailed(CambistError):
    """A message could not be handed to the bus."""


class CrewFailed(CambistError):
    """The workers of a search are gone, or the cluster cannot be reached; what they finished is kept."""


class AssistantRefused(CambistError):
    """The assistant is not switched on, or its service understood the request and refused it."""


class AssistantFailed(CambistError):
    """The assistant's service cannot be reached, is failing or broke off; trying again later may help."""

    def __init__(self, key: str, retry_after_s: float | None = None, **params: object) -> None:
        super().__init__(key, **params)
        self.retry_after_s = retry_after_s


class ParseError(CambistError):
    """A venue's message is not what its documents say."""


class Stopped(CambistError):
    """A person stopped the work; what was finished is kept."""


class VenueError(CambistError):
    """A venue did not give what was asked."""


class VenueRefused(VenueError):
    """The venue understood the request and refused it."""


class VenueUnavailable(VenueError):
    """The venue cannot be reached or is failing; trying again later may help."""


class RateLimited(VenueUnavailable):
    """The venue asks for fewer requests."""

    def __init__(self, key: str, retry_after_s: float | None = None, **params: object) -> None:
        super().__init__(key, **params)
        self.retry_after_s = retry_after_s


class OutcomeUnknown(VenueError):
    """A request may or may not have taken effect; only the venue's own word resolves it."""
