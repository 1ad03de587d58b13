"""A stylesheet that is parsed once for each theme: stock Textual parses all of it anew with each screen that opens."""

from __future__ import annotations

from textual.css.stylesheet import Stylesheet


class ParsedOnce(Stylesheet):
    """Parses a source again only where the variables are others than before."""

    def __init__(self, *, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self.variables = self.applied = variables

    def set_variables(self, variables: dict[str, str]) -> None:
        """Other variables."""
        if variables != self.variables:
            self.variables = variables
            super().set_variables(variables)

    def reparse(self) -> None:
        """All of it with other variables; else what is new."""
        if self.applied is self.variables:
            self.parse()
        else:
            super().reparse()
            self.applied = self.variables
