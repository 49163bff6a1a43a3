"""The project's pages, and the blocks of code in them.

What a block is for stands in a comment in front of it, which no reader sees:

- ``<!-- run -->`` before a ``console`` block: its ``$ cambist ...`` lines are run, and the output that the page shows
  must be what came (``...`` stands for anything);
- ``<!-- file: my.py -->`` before a ``python`` block: it is also written to that file, for the commands after it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "README.fr.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")])

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>run|file: (?P<file>[\w./-]+)) -->\n+)?^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block of code."""

    page: Path
    line: int
    """Of its first line of code, counted from 1."""
    language: str
    text: str
    run: bool
    file: str | None

    def __str__(self) -> str:
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    """Return how a page is called in messages."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return the blocks of a page in order; of these languages, if any are given."""
    text = page.read_text(encoding="utf-8")
    found = [
        Block(
            page=page,
            line=text.count("\n", 0, match.start("text")) + 1,
            language=match["language"],
            text=match["text"],
            run=match["mark"] == "run",
            file=match["file"],
        )
        for match in _BLOCK.finditer(text)
    ]
    return [block for block in found if not languages or block.language in languages]


def prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


def headings(page: Path) -> list[int]:
    """Return the levels of a page's headings, in order."""
    return [len(hashes) for hashes in re.findall(r"^(#+) ", prose(page), re.MULTILINE)]


def sessions(block: Block) -> Iterator[tuple[str, str]]:
    """Yield each command of a ``console`` block with the output that the page shows after it."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        while command.endswith("\\"):
            more, _, output = output.partition("\n")
            command = f"{command[:-1]} {more.strip().removeprefix('> ')}"
        yield command, output
