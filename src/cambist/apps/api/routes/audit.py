"""The audit log: admins read all of it, others what concerns them."""

from typing import Annotated

from fastapi import Query
from pydantic import Field

from cambist.apps.api.area import Area, quick
from cambist.apps.api.caller import Admin, Viewer
from cambist.apps.api.paging import Cursor, Limit, Page, number, page
from cambist.apps.api.services import Server
from cambist.apps.api.words import Answer, Ms
from cambist.domain.deed import AuditRow
from cambist.domain.person import Identity, Scope
from cambist.domain.text import say
from cambist.usecases.auditing import verify

router = Area("/audit", tags=["audit"])


class Row(Answer):
    """Something that somebody did."""

    seq: int
    ts: Ms
    user_id: int
    """Whom it concerns; 0: nobody known, or the server."""
    actor: str = Field(examples=["ann"])
    """Who did it."""
    action: str = Field(examples=["login"])
    target: str = Field(examples=["ann"])
    details: str = Field(examples=['{"session":"..."}'])
    """JSON, as it was hashed."""
    address: str = Field(examples=["203.0.113.7"])
    request_id: str = Field(examples=["c04d9b2b6ca54375"])
    previous: str = Field(examples=["3bd420c62ea9d8012929906628de17f52ce3ff10ebb056209269a46202b520c5"])
    """Hash of the row before."""
    hash: str = Field(examples=["3bd420c62ea9d8012929906628de17f52ce3ff10ebb056209269a46202b520c5"])


class Chain(Answer):
    """Whether the log is whole."""

    whole: bool
    count: int
    """Rows that are whole, from the first."""
    last_hash: str | None = Field(examples=["3bd420c62ea9d8012929906628de17f52ce3ff10ebb056209269a46202b520c5"])
    """Of the last of them: kept elsewhere, it proves later that no row at the end is missing."""
    broken: int | None
    """The first row that is not."""
    why: str | None = Field(examples=[None])


@router.get("", summary="What was done?")
@quick
def rows(
    caller: Viewer,
    server: Server,
    after: Cursor = None,
    limit: Limit = 100,
    user_id: Annotated[int | None, Query(ge=0, le=2_147_483_647, description="For admins: of this user only.")] = None,
) -> Page[Row]:
    """Return the newest rows first: all for admins, for others those that concern them."""
    whose = user_id if Scope.ADMIN in caller.scopes else caller.user_id
    found = server.office.audit.latest(limit + 1, user_id=whose, before=number(after))
    return page(found, limit, lambda row: row.seq, lambda row: _shown(row, caller))


@router.get("/verify", summary="Is the log whole?")
def verified(caller: Admin, server: Server) -> Chain:
    """Check the whole chain; it takes some seconds for a million rows."""
    found = verify(server.office.audit.chain())
    return Chain(
        whole=found.broken is None,
        count=found.count,
        last_hash=None if found.last is None else found.last.hash,
        broken=found.broken,
        why=None if found.broken is None else say(found.why, seq=found.broken, expected=found.count + 1),
    )


def _shown(row: AuditRow, caller: Identity) -> Row:
    """Return a row as ``caller`` may see it: where somebody else was, only an admin learns."""
    shown = Row.model_validate(row)
    own = row.actor.partition(" ")[0] == caller.name
    return shown if own or Scope.ADMIN in caller.scopes else shown.model_copy(update={"address": ""})
