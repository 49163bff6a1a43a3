"""``cambist user``: people, what they may do, and how they come in."""

from typing import TYPE_CHECKING

import click

from cambist.apps import bootstrap
from cambist.apps.cli.asking import now_ms, sure
from cambist.apps.settings import load
from cambist.domain.account import LOCAL_USER
from cambist.domain.errors import BadInput
from cambist.domain.moment import show_moment
from cambist.domain.person import Person, Role
from cambist.domain.text import say

if TYPE_CHECKING:
    from cambist.usecases.office import Office, Visit

_ROLE = click.Choice([str(role) for role in Role])
_MODES = ("open", "invitation", "closed")
_DAY_MS = 86_400_000


@click.group(help=say("user.help"))
def command() -> None:
    """Hold the commands on people together."""


@command.command("add", help=say("user.add.help"))
@click.argument("name", metavar="NAME")
@click.option("--role", type=_ROLE, default="trade", show_default=True, help=say("user.option.role"))
@click.option("--ask", is_flag=True, help=say("user.option.ask"))
def add(name: str, role: str, ask: bool) -> None:
    """Add somebody, and show their password once."""
    from cambist.usecases.people import add_person

    office = _office()
    password = _password(office, ask=ask)
    person = add_person(office, name, password, Role(role), _visit())
    click.echo(say("user.added", name=person.name, role=person.role))
    _show_password(person.name, password, asked=ask)


@command.command("list", help=say("user.list.help"))
def list_() -> None:
    """List the people."""
    from cambist.apps.cli.tables import NONE, console, plain_table

    table = plain_table()
    for column in ("id", "name", "role", "active", "second_factor", "seen", "limits"):
        table.add_column(say(f"user.column.{column}"), overflow="fold")
    for person in _office().people.everybody():
        seen = NONE if person.seen_ms is None else show_moment(person.seen_ms - person.seen_ms % 60_000)
        answers = [say("user.yes" if one else "user.no") for one in (person.active, person.totp_on)]
        table.add_row(str(person.id), person.name, person.role, *answers, seen, _limits(person))
    console().print(table)


@command.command("password", help=say("user.password.help"))
@click.argument("name", metavar="NAME")
@click.option("--ask", is_flag=True, help=say("user.option.ask"))
@click.option("--without-second-factor", is_flag=True, help=say("user.option.without"))
def password(name: str, ask: bool, without_second_factor: bool) -> None:
    """Give somebody a new password, and show it once."""
    from cambist.usecases.people import give_password, person_called

    office = _office()
    person = person_called(office, name)
    new = _password(office, ask=ask)
    give_password(office, person.id, new, _visit(), without_second_factor=without_second_factor)
    click.echo(say("user.password_set", name=person.name))
    _show_password(person.name, new, asked=ask)


@command.command("role", help=say("user.role.help"))
@click.argument("name", metavar="NAME")
@click.argument("role", type=_ROLE, metavar="ROLE")
def role_(name: str, role: str) -> None:
    """Give somebody another role."""
    from cambist.usecases.people import person_called, set_role

    office = _office()
    person = set_role(office, person_called(office, name).id, Role(role), _visit())
    click.echo(say("user.role_is", name=person.name, role=person.role))


@command.command("disable", help=say("user.disable.help"))
@click.argument("name", metavar="NAME")
def disable(name: str) -> None:
    """Shut somebody out."""
    _set_active(name, active=False)


@command.command("enable", help=say("user.enable.help"))
@click.argument("name", metavar="NAME")
def enable(name: str) -> None:
    """Let somebody in again."""
    _set_active(name, active=True)


@command.command("delete", help=say("user.delete.help"))
@click.argument("name", metavar="NAME")
@click.option("--yes", is_flag=True, help=say("bot.option.yes"))
def delete(name: str, yes: bool) -> None:
    """Delete somebody with all that is theirs, after asking."""
    from cambist.usecases.leaving import delete_person
    from cambist.usecases.people import person_called

    office = _office()
    person = person_called(office, name)
    if not yes and not sure(say("user.delete.sure", name=person.name)):
        return
    asked = delete_person(office, person.id, bootstrap.belongings(load(), person.id), _visit())
    click.echo(say("user.delete_again" if asked else "user.deleted", name=person.name))


@command.command("limits", help=say("user.limits.help"))
@click.argument("name", metavar="NAME")
@click.argument("changes", nargs=-1, metavar="[NAME=VALUE]...")
def limits(name: str, changes: tuple[str, ...]) -> None:
    """Set and show the limits of somebody."""
    from cambist.usecases.accounts import take_up_caps
    from cambist.usecases.people import person_called, set_limits

    office, found = _office(), {}
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals:
            raise BadInput("limit", change, "people.limit_form")
        found[key] = value or None
    person = person_called(office, name)
    if found:
        person = set_limits(office, person.id, found, _visit())
        take_up_caps(bootstrap.register(load(), person.id), now_ms())
    click.echo(say("user.limits_are", name=person.name, limits=_limits(person)))


@command.command("invite", help=say("user.invite.help"))
@click.option("--role", type=_ROLE, default="trade", show_default=True, help=say("user.option.role"))
@click.option("--days", type=click.IntRange(1, 365), default=7, show_default=True, help=say("user.option.days"))
def invite(role: str, days: int) -> None:
    """Make an invitation, and show it once."""
    from cambist.usecases.people import invite as make

    made, text = make(_office(), LOCAL_USER, Role(role), _visit(), valid_ms=days * _DAY_MS)
    until = show_moment(made.expires_ms - made.expires_ms % 60_000)
    click.echo(say("user.invitation_is", role=made.role, until=until, invitation=text))


@command.command("registration", help=say("user.registration.help"))
@click.argument("mode", type=click.Choice(_MODES), required=False, metavar="[open|invitation|closed]")
def registration(mode: str | None) -> None:
    """Show or set who may register."""
    from cambist.usecases import people

    office = _office()
    if mode is not None:
        people.set_registration(office, people.Registration(mode), _visit())
    click.echo(say("user.registration_is", mode=people.registration(office)))


def _office() -> "Office":
    """Return the office, which has its first admin: everybody else comes after user 1, who owns what is here."""
    from cambist.usecases.signing_in import first_admin

    office = bootstrap.office(load())
    made = first_admin(office, now_ms())
    if made is not None:
        click.echo(say("people.first_admin", password=made), err=True)
    return office


def _visit() -> "Visit":
    from cambist.usecases.office import Visit

    return Visit(now_ms=now_ms(), actor="command line")


def _password(office: "Office", *, ask: bool) -> str:
    from cambist.usecases.signing_in import new_password

    return (
        str(click.prompt(say("user.prompt"), hide_input=True, confirmation_prompt=True))
        if ask
        else new_password(office)
    )


def _show_password(name: str, password: str, *, asked: bool) -> None:
    if not asked:
        click.echo(say("user.password_is", name=name, password=password))


def _set_active(name: str, *, active: bool) -> None:
    from cambist.usecases.people import person_called, set_active

    office = _office()
    person = set_active(office, person_called(office, name).id, _visit(), active=active)
    click.echo(say("user.enabled" if active else "user.disabled", name=person.name))


def _limits(person: Person) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(person.limits.items())) or say("user.no_limits")
