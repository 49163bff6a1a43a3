"""``cambist``: the command line. Each command is a file beside this one, imported when it is called."""

import os
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Any

import click

from cambist.apps.cli.click_words import speak_as_we_do
from cambist.domain.errors import CambistError, Stopped
from cambist.domain.text import say, speak

# name on the command line: file beside this one, holding ``command``; its one-line help is the text ``cli.<name>``
COMMANDS = {
    "demo": "demo",
    "import": "import_",
    "download": "download",
    "candles": "candles",
    "indicators": "indicators",
    "strategies": "strategies",
    "backtest": "backtest",
    "results": "results",
    "show": "show",
    "compare": "compare",
    "optimise": "optimise",
    "searches": "searches",
    "up": "up",
    "account": "account",
    "bot": "bot",
    "order": "order",
    "alerts": "alerts",
    "heartbeat": "heartbeat",
    "run": "run",
    "user": "user",
    "audit": "audit",
    "vault": "vault",
    "openapi": "openapi",
    "parity": "parity",
    "drill": "drill",
    "simulate": "simulate",
}


_WHOLE = 1_000


class _Commands(click.Group):
    """A group that knows its commands by name and imports only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"cambist.apps.cli.{COMMANDS[cmd_name]}").command
        if isinstance(command, click.Group):
            for under in command.commands.values():  # in lists click would cut what they do to one line
                under.short_help = under.get_short_help_str(_WHOLE)
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS:  # click would look for what resembles it among commands that it has loaded
            raise click.NoSuchCommand(args[0], possibilities=COMMANDS, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(say("cli.commands")):
            formatter.write_dl([(name, say(f"cli.{name}")) for name in COMMANDS])


def choose_language() -> None:
    """Speak the language of ``CAMBIST_LANG``, else of the shell's locale; English unless that is French."""
    wish = os.environ.get("CAMBIST_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or "en"
    speak("fr" if wish.lower().startswith("fr") else "en")
    speak_as_we_do()


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exit with 0, or with 1 and one clear sentence on standard error."""
    choose_language()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console that cannot show a sign must not end the program
    cli = _Commands(name="cambist", help=say("cli.help"), context_settings={"max_content_width": 100})
    cli.params.append(_version())
    try:
        sys.exit(cli.main(args=arguments, prog_name="cambist", standalone_mode=False) or 0)
    except click.exceptions.Abort:
        click.echo(say("cli.stopped"), err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Stopped as stopped:
        click.echo(str(stopped), err=True)
        sys.exit(130)
    except CambistError as error:
        click.echo(f"cambist: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(f"cambist: {say('cli.system', why=error)}", err=True)
        sys.exit(1)


def _version() -> click.Option:
    def show(ctx: click.Context, _param: click.Parameter, value: Any) -> None:
        if value:
            from importlib.metadata import version

            click.echo(f"cambist {version('cambist')}")
            ctx.exit()

    return click.Option(
        ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=show, help=say("cli.version")
    )
