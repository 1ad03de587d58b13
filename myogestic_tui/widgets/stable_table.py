"""A `DataTable` that is given its items anew and again, and changes only what changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rich.text import Text as RichText
from textual.widgets import DataTable

from .colours import variables_of
from .styled_lines import Line, fit, rich_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.theme import Theme

Item = TypeVar("Item")


@dataclass(frozen=True)
class Column(Generic[Item]):
    """A column of fixed width, so that nothing moves: what it is called, and what it shows of an item."""

    key: str
    title: str
    width: int
    cell: Callable[[Item], Line] = field(compare=False)
    right: bool = False

    def line(self, item: Item) -> Line:
        """The cell of an item; where that is one text, it is cut and padded, and a blank stays free beside it."""
        made = self.cell(item)
        if len(made) != 1:
            return made
        ((text, style),) = made
        return ((fit(text, self.width - 1, ">" if self.right else "<") + " ", style),)


class Table(DataTable[RichText]):
    """Rows by key; the cursor stays with its row."""

    ALLOW_SELECT = False

    def __init__(self, *, cursor: bool = True, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(
            cursor_type="row" if cursor else "none", cell_padding=0, zebra_stripes=False, id=id, classes=classes,
            cursor_foreground_priority="renderable",
        )  # fmt: skip
        self.can_focus = cursor
        self._shown_columns: tuple[Column[Any], ...] = ()
        self._shown: dict[str, tuple[Line, ...]] = {}

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, self._new_theme)

    def _new_theme(self, _: Theme) -> None:
        self._fill(self._shown_columns, self._shown, anew=True)

    @property
    def chosen(self) -> str:
        """The key of the row with the cursor; empty where there is none."""
        keys = list(self._shown)
        return keys[self.cursor_row] if 0 <= self.cursor_row < len(keys) else ""

    def choose(self, key: str) -> None:
        """Put the cursor on a row."""
        if key in self._shown:
            self.move_cursor(row=self.get_row_index(key), animate=False)

    def step(self, by: int) -> None:
        """Move the cursor."""
        if self._shown:
            self.move_cursor(row=min(max(self.cursor_row + by, 0), len(self._shown) - 1), animate=False)

    def put(self, columns: Sequence[Column[Item]], items: Mapping[str, Item]) -> None:
        """Show these items, a row each, by key."""
        rows = {key: tuple(column.line(item) for column in columns) for key, item in items.items()}
        anew = tuple(columns) != self._shown_columns
        if anew or list(rows) != list(self._shown):
            chosen = self.chosen
            self._fill(tuple(columns), rows, anew=anew)
            self.choose(chosen)
        else:
            self._change(rows)

    def _change(self, rows: dict[str, tuple[Line, ...]]) -> None:
        variables = variables_of(self.app)
        for key, row in rows.items():
            for column, old, new in zip(self._shown_columns, self._shown[key], row, strict=True):
                if old != new:
                    self.update_cell(key, column.key, rich_text(new, variables))
        self._shown = rows

    def _fill(self, columns: tuple[Column[Any], ...], rows: dict[str, tuple[Line, ...]], *, anew: bool) -> None:
        variables = variables_of(self.app)
        self.clear(columns=anew)
        if anew:
            for column in columns:
                title = column.title.rjust(column.width - 1) if column.right else column.title
                self.add_column(title, width=column.width, key=column.key)
        for key, row in rows.items():
            self.add_row(*(rich_text(one, variables) for one in row), key=key)
        self._shown_columns, self._shown = columns, rows
