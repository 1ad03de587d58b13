"""A `DataTable` that is given its rows anew and again, and changes only what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text as RichText
from textual.widgets import DataTable

from .colours import variables_of
from .styled_lines import Line, rich_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.theme import Theme


class Column(NamedTuple):
    """A column of fixed width, so that nothing moves."""

    key: str
    title: str
    width: int
    align: str = "<"


class Table(DataTable[RichText]):
    """Rows by key; the cursor stays with its row.

    `put` takes all rows; a row is its key and a `Line` for each column.
    """

    ALLOW_SELECT = False

    def __init__(self, *, cursor: bool = True, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(
            cursor_type="row" if cursor else "none", cell_padding=0, zebra_stripes=False, id=id, classes=classes
        )
        self.can_focus = cursor
        self._shown_columns: tuple[Column, ...] = ()
        self._shown: dict[str, tuple[Line, ...]] = {}

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, self._new_theme)

    def _new_theme(self, _: Theme) -> None:
        rows, columns = list(self._shown.items()), self._shown_columns
        self._shown_columns, self._shown = (), {}
        if columns:
            self.put(columns, rows)

    @property
    def chosen(self) -> str:
        """The key of the row with the cursor; empty where there is none."""
        keys = list(self._shown)
        return keys[self.cursor_row] if 0 <= self.cursor_row < len(keys) else ""

    def choose(self, key: str) -> None:
        """Put the cursor on a row."""
        if key in self._shown:
            self.move_cursor(row=list(self._shown).index(key), animate=False)

    def step(self, by: int) -> None:
        """Move the cursor."""
        if self._shown:
            self.move_cursor(row=min(max(self.cursor_row + by, 0), len(self._shown) - 1), animate=False)

    def put(self, columns: Sequence[Column], rows: Sequence[tuple[str, tuple[Line, ...]]]) -> None:
        """Show these rows."""
        wanted = dict(rows)
        if tuple(columns) == self._shown_columns and list(wanted) == list(self._shown):
            self._change(wanted)
            return
        chosen = self.chosen
        self._fill(tuple(columns), wanted)
        self.choose(chosen)

    def _change(self, wanted: dict[str, tuple[Line, ...]]) -> None:
        variables = variables_of(self.app)
        for key, row in wanted.items():
            before = self._shown[key]
            for column, old, new in zip(self._shown_columns, before, row, strict=True):
                if old != new:
                    self.update_cell(key, column.key, rich_text(new, variables))
        self._shown = wanted

    def _fill(self, columns: tuple[Column, ...], wanted: dict[str, tuple[Line, ...]]) -> None:
        variables = variables_of(self.app)
        anew = columns != self._shown_columns
        self.clear(columns=anew)
        if anew:
            for column in columns:
                title = column.title.rjust(column.width - 1) if column.align == ">" else column.title
                self.add_column(title, width=column.width, key=column.key)
        for key, row in wanted.items():
            self.add_row(*(rich_text(one, variables) for one in row), key=key)
        self._shown_columns, self._shown = columns, wanted


def cell(text: str, column: Column, style: str = "") -> Line:
    """A text in its column: one blank stays free at the right."""
    from .styled_lines import fit

    return ((fit(text, column.width - 1, column.align) + " ", style),)
