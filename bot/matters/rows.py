"""Rows of an import file, whatever its format: the values by key and where each of them stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.matters.faults import Fault, Path, key_path
from bot.matters.form import Form


@dataclass(frozen=True)
class Row:
    """One matter or power as read. ``items``: for lists in sheets of their own, sheet and rows of their items."""

    line: int
    values: Mapping[str, Any]
    sheet: str | None = None
    items: Mapping[str, tuple[str, Sequence[int]]] = field(default_factory=dict)

    def fault(self, form: Form, path: Path, reason: str) -> Fault:
        """The fault ``reason`` at ``path`` of this row, with the line (and sheet) where that value stands."""
        line, sheet = self.line, self.sheet
        listed = self.items.get(str(path[0])) if path else None
        if listed is not None:
            sheet, lines = listed
            if len(path) > 1 and isinstance(path[1], int) and path[1] < len(lines):
                line = lines[path[1]]
        return Fault(reason, line, sheet, key_path(path) or None, form.label(path) or None)
