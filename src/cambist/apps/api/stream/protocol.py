"""What a client may say, one JSON object a message."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from cambist.apps.api.problems import field_problem
from cambist.apps.api.stream.topics import Topic
from cambist.apps.api.words import Body

MOST_CHARACTERS = 64_000

_Text = Annotated[str, Field(min_length=1, max_length=64)]


class Resume(Body):
    """Where a client was: the stream of its last `welcome`, and per topic the last number that it has dealt with."""

    stream: _Text
    seq: dict[Topic, Annotated[int, Field(ge=0)]]


class Hello(Body):
    """Who is there: first of all, and again before a token is over."""

    type: Literal["hello"]
    token: Annotated[str, Field(min_length=1, max_length=8_192)] | None = None
    resume: Resume | None = None


class Subscribe(Body):
    """What to tell from here on; of a topic that is subscribed to already the filters are replaced."""

    type: Literal["subscribe"]
    topics: Annotated[list[Topic], Field(min_length=1, max_length=len(Topic))]
    symbols: Annotated[list[_Text], Field(max_length=500)] | None = None
    timeframes: Annotated[list[_Text], Field(max_length=20)] | None = None


class Unsubscribe(Body):
    """What to tell no longer."""

    type: Literal["unsubscribe"]
    topics: Annotated[list[Topic], Field(min_length=1, max_length=len(Topic))]


class Ping(Body):
    """Whether the server is there."""

    type: Literal["ping"]


Said = Hello | Subscribe | Unsubscribe | Ping
_said: TypeAdapter[Said] = TypeAdapter(Annotated[Said, Field(discriminator="type")])


def read(text: str) -> Said:
    """Return what a client said; raise `Unreadable`."""
    try:
        return _said.validate_json(text)
    except ValidationError as error:
        raise Unreadable(error) from None


class Unreadable(Exception):
    """A client said what nobody understands; ``field``, ``value`` and ``remedy`` say what is wrong."""

    def __init__(self, error: ValidationError) -> None:
        first = error.errors()[0]
        kinds = "hello, subscribe, unsubscribe, ping"
        if first["type"] in ("union_tag_invalid", "union_tag_not_found"):
            first = {"type": "literal_error", "loc": ("type",), "msg": "", "input": None, "ctx": {"expected": kinds}}
        elif first["loc"] and first["loc"][0] in kinds.split(", "):
            first = first | {"loc": first["loc"][1:]}
        self.problem = field_problem(first)
        super().__init__(self.problem.remedy)
