"""The parts of the pages that are written by the code that they describe.

A page holds them between ``<!-- generated: NAME -->`` and ``<!-- end -->``. After a change to an indicator's card or to
a command, write them anew::

    .venv/bin/python -m tests.docs.generated
"""

import os
import re
import subprocess
import sys
from importlib import import_module

import click
from tests.docs.pages import DOCS, ROOT

PAGES = {"indicators": DOCS / "indicators.md", "commands": DOCS / "command-line.md"}
_PART = re.compile(r"(?<=<!-- generated: )(\w+) -->\n.*?(?=<!-- end -->)", re.DOTALL)


def up_to_date(text: str, part: str) -> str:
    """Return the text of a page with its generated part in it."""
    return _PART.sub(lambda match: f"{match[1]} -->\n\n{part}\n", text)


def in_english(name: str) -> str:
    """Return a part as a process of its own writes it: help texts keep the language in which they were first read."""
    environment = {**os.environ, "CAMBIST_LANG": "en"}
    command = [sys.executable, "-m", "tests.docs.generated", name]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True, encoding="utf-8")
    return done.stdout


def indicators() -> str:
    """Return the catalogue: one row per card."""
    from cambist.indicators import catalog

    rows = [
        "| Name | What it is | Reads | Parameters (bounds) | Gives | Unit | Warm-up |",
        "|---|---|---|---|---|---|---|",
    ]
    for card in catalog():
        params = "<br>".join(
            f"`{key}={spec.default:g}` ({spec.low:g} to {spec.high:g})" for key, spec in card.params.items()
        )
        outputs = " ".join(f"`{output}`" for output in card.outputs)
        unit = f"{card.unit}, level relative" if card.relative_level else card.unit
        inputs = " ".join(card.inputs)
        rows.append(f"| `{card.name}` | {card.title} | {inputs} | {params} | {outputs} | {unit} | {card.warmup()} |")
    rows += ["", "### Sources", ""]
    rows += [f"- `{card.name}`: {_plain(card.source)}" for card in catalog()]
    return "\n".join(rows) + "\n"


def _plain(text: str) -> str:
    """Return ``text`` with what Markdown would take for emphasis or a table put out of its reach."""
    pieces = text.split("`")
    pieces[::2] = [re.sub(r"([*_|<>\[\]])", r"\\\1", piece) for piece in pieces[::2]]
    return "`".join(pieces)


def commands() -> str:
    """Return the reference of all commands: how each is called, what it does, its options."""
    from cambist.apps.cli.main import COMMANDS

    return "\n".join(
        _command(called, command)
        for name, file in COMMANDS.items()
        for called, command in every(name, import_module(f"cambist.apps.cli.{file}").command)
    )


def every(name: str, command: click.Command) -> list[tuple[str, click.Command]]:
    """Return ``command`` as it is called, and all that are under it."""
    if not isinstance(command, click.Group):
        return [(name, command)]
    under = [one for called, own in command.commands.items() for one in every(f"{name} {called}", own)]
    return [(name, command), *under]


def _command(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"cambist {name}")
    usage = " ".join(piece for piece in command.collect_usage_pieces(context) if piece)
    about, _, examples = (command.help or "").partition("\n\n\b\n")
    lines = [f"### `cambist {name}`", "", "```text", f"cambist {name} {usage}", "```", "", about, ""]
    if examples:
        title, _, text = examples.partition("\n")
        lines += [f"{title}", "", "```text", *(line.strip() for line in text.splitlines()), "```", ""]
    if isinstance(command, click.Group):
        lines += [f"- [`cambist {name} {one}`](#cambist-{name}-{one})" for one in command.commands]
        return "\n".join([*lines, ""])
    options = [option for option in command.get_params(context) if isinstance(option, click.Option)]
    lines += ["| Option | What it does |", "|---|---|"]
    for option in options:
        record = option.get_help_record(context)
        if record is not None:
            written, text = (cell.replace("|", "\\|") for cell in record)
            lines.append(f"| `{written}` | {text} |")
    return "\n".join([*lines, ""])


PARTS = {"indicators": indicators, "commands": commands}


def main(arguments: list[str]) -> None:
    """Print the parts named, or write all parts into their pages."""
    for name in arguments:
        sys.stdout.write(PARTS[name]())
    if not arguments:
        for name, page in PAGES.items():
            page.write_text(up_to_date(page.read_text(encoding="utf-8"), in_english(name)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
