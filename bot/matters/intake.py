"""Taking in a file: every row judged, the good ones spooled, all faults gathered before anything is published."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from bot.errors import InvalidInput
from bot.matters.faults import Fault, Note, Notes, refused
from bot.matters.form import Form
from bot.matters.model import Guide, Power
from bot.matters.reading import Told, read_rows
from bot.matters.spool import Spool
from bot.matters.validation import validated


def take_in(path: Path, form: Form, model: type[Guide] | type[Power], spool: Spool, told: Told) -> list[Fault]:
    """Puts every row of the file into ``spool`` and returns what is odd; raises InvalidInput with all faults."""
    faults: list[Fault] = []
    notes = Notes()
    lines: dict[str, int] = {}
    for row in read_rows(path, form, told):
        if isinstance(row, Note):
            notes.add(row)
            continue
        if isinstance(row, Fault):
            faults.append(row)
            continue
        value: BaseModel | list[Fault] = validated(row, form, model, notes)
        if isinstance(value, list):
            faults += value
        code = row.values.get("code")
        if isinstance(code, str) and (code := code.strip()):
            first = lines.setdefault(code, row.line)
            if first != row.line:
                faults.append(row.fault(form, ("code",), f"{form.code.header} {code} 与第 {first} 行重复"))
        if not faults and isinstance(value, Guide | Power):
            spool.add(value)
    if faults:
        raise refused(faults)
    if not spool.entries:
        raise InvalidInput(
            f"{path.name} 里没有一条内容，什么都没有导入。",
            code="import_empty",
            remedy=f"请检查选对了文件；每行（或“{form.title}”表里每行）应当是一条。",
        )
    return list(notes)
