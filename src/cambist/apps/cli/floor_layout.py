"""How the live view divides a window: sections below one another or side by side, each with the lines it deserves."""

from collections.abc import Callable, Sequence

from rich.console import RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from cambist.apps.cli import tables
from cambist.domain.metrics import number
from cambist.domain.record import record
from cambist.domain.text import say

GAP = 3
"""Columns between sections that stand side by side."""

Band = Sequence["Section"]
"""Sections side by side."""


@record(kw_only=True)
class Section:
    """A heading, and below it as many of ``count`` things as there is room for."""

    title: str
    count: int
    draw: Callable[[int, int], RenderableType]
    """(how many, width)."""
    each: int = 1
    """Lines that one thing takes."""
    first: int = 1
    """How many things are worth showing at all."""
    above: int = 0
    """Lines above the first."""
    note: str = ""
    keeps: bool = True
    """Whether what does not fit is counted; else it is only older."""

    @property
    def wanted(self) -> int:
        """Return how many lines would show all."""
        return self.above + self.each * self.count if self.count else 1

    @property
    def least(self) -> int:
        """Return how many lines show enough to begin with."""
        return min(self.wanted, self.above + self.each * self.first)

    def fitting(self, rows: int) -> int:
        """Return how many things fit into ``rows``."""
        return min(self.count, max(0, rows - self.above) // self.each)

    def heading(self, rows: int) -> RenderableType:
        """Return the heading over ``rows`` lines."""
        more = self.count - self.fitting(rows)
        notes = [self.note] if self.note else []
        if more and self.keeps:
            notes.append(say("floor.more", count=number(more, 0)))
        title = Text.assemble((self.title, "bold"), (f"  {' · '.join(notes)}" if notes else "", tables.FAINT))
        return Rule(title, align="left", style=tables.FAINT)


def allot(bands: Sequence[Band], urgent: Sequence[int], growing: Sequence[int], room: int) -> tuple[list[int], int]:
    """Return how many lines each band gets below its heading (0: it is left out), and the empty lines between bands.

    The most ``urgent`` are let in first, those ``growing`` first get what is left.
    """
    rows = [0] * len(bands)
    for i in urgent:
        least = max(section.least for section in bands[i])
        if room > least:
            rows[i] = least
            room -= least + 1
    for i in growing:
        if rows[i]:
            more = min(room, max(section.wanted for section in bands[i]) - rows[i])
            rows[i] += more
            room -= more
    return rows, int(room > sum(map(bool, rows)))


def draw_band(band: Band, rows: int, width: int) -> list[RenderableType]:
    """Return the lines of a band of ``rows`` lines below its headings."""
    if len(band) == 1:
        (section,) = band
        return [section.heading(rows), section.draw(section.fitting(rows), width)]
    each = (width - GAP * (len(band) - 1)) // len(band)
    columns = Table.grid(padding=(0, GAP, 0, 0), pad_edge=False)
    for _ in band:
        columns.add_column(width=each, no_wrap=True)
    columns.add_row(*(section.heading(rows) for section in band))
    columns.add_row(*(section.draw(section.fitting(rows), each) for section in band))
    return [columns]
