"""What is wrong with a file, place by place, so that whoever wrote it can mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bot.errors import InvalidInput

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """One fault. ``line``: 1-based line of the file or row of ``sheet``; ``label``: the Chinese name of ``field``."""

    reason: str
    line: int | None = None
    sheet: str | None = None
    field: str | None = None
    label: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "line": self.line,
            "sheet": self.sheet,
            "field": self.field,
            "label": self.label,
            "reason": self.reason,
        }

    def __str__(self) -> str:
        place = "".join(
            [f"“{self.sheet}”表" if self.sheet else "", f"第 {self.line} 行" if self.line is not None else ""]
        )
        name = self.label or self.field
        if name and self.field and name != self.field:
            name = f"{name}（{self.field}）"
        return "：".join(part for part in (" ".join(part for part in (place, name) if part), self.reason) if part)


class Note(Fault):
    """Something odd that does not stop an import."""


class Notes:
    """Faults that do not stop an import, told once each with how many rows have them."""

    def __init__(self) -> None:
        self._first: dict[tuple[str | None, str], Fault] = {}
        self._count: dict[tuple[str | None, str], int] = {}

    def add(self, note: Fault) -> None:
        key = (note.label, note.reason)
        self._first.setdefault(key, note)
        self._count[key] = self._count.get(key, 0) + 1

    def __iter__(self) -> Iterator[Fault]:
        for key, note in self._first.items():
            count = self._count[key]
            more = f"（共 {count} 处，这里是第一处）" if count > 1 else ""
            yield Fault(note.reason + more, note.line, note.sheet, note.field, note.label)


def refused(faults: Sequence[Fault]) -> InvalidInput:
    """The error that reports ``faults``; nothing of the file was imported."""
    return InvalidInput(
        f"文件有 {len(faults)} 处错误，什么都没有导入。第一处：{faults[0]}",
        code="import_faulty",
        remedy="请按行号改正下列各处，再导入一次。",
        details=[fault.as_dict() for fault in faults],
    )


def key_path(path: Path) -> str:
    """``("materials", 2, "name")`` as ``materials[2].name``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
