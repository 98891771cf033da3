"""Writing workbooks of the form: an empty one to fill in, or the catalogue for people who edit in Excel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from bot.matters.form import Cell, Column, Form
from bot.matters.model import Audience, Level, MatterKind
from bot.store.faults import explaining

GUIDANCE = "填写说明"
_ALLOWED: Mapping[str, Sequence[str]] = {
    "事项类型": get_args(MatterKind),
    "行使层级": get_args(Level),
    "服务对象": get_args(Audience),
}
_WIDTH = 22
_JOIN = "、"


def write_workbook(path: Path, form: Form, items: Iterable[Mapping[str, Any]] = ()) -> int:
    """Writes ``items`` (mappings in the exchange format) to ``path`` and returns how many; without items an empty form.

    Raises StorageFull where the disk is full.
    """
    workbook = Workbook(write_only=True)
    main = _sheet(workbook, form.title, form.columns)
    lists = [(sheet, _sheet(workbook, sheet.title, (form.code, *sheet.columns))) for sheet in form.lists]
    own = {sheet.key for sheet in form.lists}
    number = 0
    for item in items:
        number += 1
        # a list with a sheet of its own stands there, where any text survives
        main.append([None if c.key in own else _cell(main, _written(item, c)) for c in form.columns])
        for sheet, page in lists:
            for row in _rows(sheet.shape, sheet.columns, item.get(sheet.key) or ()):
                page.append([_cell(page, value) for value in (item[form.code.key], *row)])
    _guidance(workbook, form)
    with explaining():
        workbook.save(path)
    return number


def _sheet(workbook: Workbook, title: str, columns: Sequence[Column]) -> Any:
    page: Any = workbook.create_sheet(title)
    page.freeze_panes = "A2"
    for place in range(len(columns)):
        page.column_dimensions[get_column_letter(place + 1)].width = _WIDTH
    headers = [WriteOnlyCell(page, column.header) for column in columns]
    for cell in headers:
        cell.font = Font(bold=True)
    page.append(headers)
    return page


def _rows(shape: str, columns: Sequence[Column], items: Iterable[Any]) -> Iterable[Sequence[Any]]:
    for item in items:
        if shape == "words":
            yield [item]
        elif shape == "options":
            yield from ([item["question"], option] for option in item["options"])
        else:
            yield [item.get(column.key) for column in columns]


def _written(item: Mapping[str, Any], column: Column) -> Any:
    value: Any = item
    for step in column.key.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    if value is None:
        return None
    if column.cell is Cell.WORDS:
        return _JOIN.join(value)
    if column.cell is Cell.LIMIT:
        return f"{value['value']}{value['unit']}"
    return value


def _cell(page: Any, value: Any) -> Any:
    if value is None:
        return None
    cell = WriteOnlyCell(page, str(value))
    if cell.data_type == "f":
        cell.data_type = "s"  # text that begins with = is no formula
    return cell


def _guidance(workbook: Workbook, form: Form) -> None:
    page: Any = workbook.create_sheet(GUIDANCE)
    page.append(["工作表", "列", "必填", "说明"])
    for column in form.columns:
        page.append([form.title, column.header, "是" if column.required else "", _hint(column)])
    for sheet in form.lists:
        for column in sheet.columns:
            page.append([sheet.title, column.header, "是" if column.required else "", _hint(column)])


def _hint(column: Column) -> str:
    allowed = _ALLOWED.get(column.header)
    return "可填：" + _JOIN.join(allowed) if allowed else column.hint
