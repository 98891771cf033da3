"""Taking in a file: every row judged, the good ones kept aside, all faults gathered before anything is published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from bot.errors import InvalidInput
from bot.matters.faults import Fault, Note, Notes, refused
from bot.matters.form import Form
from bot.matters.reading import Told, read_rows
from bot.matters.validation import validated

Model = TypeVar("Model", bound=BaseModel)


def take_in(path: Path, form: Form, model: type[Model], keep: Callable[[Model], str | None], told: Told) -> list[Fault]:
    """Gives every row of the file to ``keep`` and returns what is odd; raises InvalidInput with all faults.

    ``keep`` puts a valid row aside, and may say why this one cannot be taken. After the first fault it is called no
    more, for nothing of the file will be used.
    """
    faults: list[Fault] = []
    notes = Notes()
    lines: dict[str, int] = {}
    kept = 0
    for row in read_rows(path, form, told):
        if isinstance(row, Note):
            notes.add(row)
            continue
        if isinstance(row, Fault):
            faults.append(row)
            continue
        value: Model | list[Fault] = validated(row, form, model, notes)
        if isinstance(value, list):
            faults += value
        code = row.values.get(form.code.key)
        if isinstance(code, str) and (code := code.strip()):
            first = lines.setdefault(code, row.line)
            if first != row.line:
                faults.append(row.fault(form, (form.code.key,), f"{form.code.header} {code} 与第 {first} 行重复"))
        if not faults and not isinstance(value, list):
            kept += 1
            if reason := keep(value):
                faults.append(row.fault(form, (form.code.key,), reason))
    if faults:
        raise refused(faults)
    if not kept:
        raise InvalidInput(
            f"{path.name} 里没有一条内容，什么都没有导入。",
            code="import_empty",
            remedy=f"请检查选对了文件；每行（或“{form.title}”表里每行）应当是一条。",
        )
    return list(notes)
