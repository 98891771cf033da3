"""Workbooks (.xlsx) of the form as rows: headers found by name, lists gathered from their sheets by code."""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
import orjson
from openpyxl.utils.exceptions import InvalidFileException

from bot.errors import InvalidInput, TooLarge
from bot.matters.faults import Fault, Note
from bot.matters.form import Cell, Column, Form, ListSheet
from bot.matters.rows import Row

LARGEST_UNPACKED = 4 * 1024**3
"""Bytes a workbook may unpack to; more is a mistake or a zip bomb."""

HEADER_WITHIN = 5
"""The header stands in one of the first rows; titles may stand above it."""

_Told = Callable[[int, int], None]
_ERRORS = {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"}
_WORDS = re.compile(r"[、;；,，|\n]+")
_LIMIT = re.compile(r"^(\d+)\s*个?\s*(工作日|自然日|小时|月|日|天)$")
_AT_ONCE = {"即办", "当场办结", "当场", "即时办结", "0"}


@dataclass
class _Table:
    """One sheet: where each key's column is, and its rows below the header as (row number, cells)."""

    title: str
    header_line: int
    last_line: int
    places: dict[str, int]
    missing: list[Column]
    strange: list[str]
    rows: Iterator[tuple[int, Sequence[Any]]]


@dataclass
class _Gathered:
    """The items of one list by code."""

    sheet: ListSheet
    title: str
    items: dict[str, list[Any]] = field(default_factory=dict)
    lines: dict[str, list[int]] = field(default_factory=dict)


def read_workbook(path: Path, form: Form, told: _Told | None = None) -> Iterator[Row | Fault]:
    """The rows of the workbook at ``path``; raises InvalidInput where it is no intact workbook."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and validations that openpyxl drops: they hold no data
            _refuse_bombs(path)
            workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
            try:
                yield from _read(workbook, form, told)
            finally:
                workbook.close()
    except (
        zipfile.BadZipFile,
        zlib.error,
        InvalidFileException,
        ParseError,
        KeyError,
        ValueError,
        TypeError,
        EOFError,
        IndexError,
        AttributeError,
    ) as error:
        # openpyxl meets a damaged part wherever it happens to trip over it
        raise InvalidInput(
            f"{path.name} 不是完好的 .xlsx 文件，可能已损坏。",
            code="workbook_corrupt",
            remedy="请用 Excel 或 WPS 打开确认内容，另存为新的 .xlsx 后再导入。",
        ) from error


def _refuse_bombs(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        if sum(part.file_size for part in archive.infolist()) > LARGEST_UNPACKED:
            raise TooLarge(f"{path.name} 解压后过大。", remedy="请把表格拆成几个文件分别导入，或改用 JSON Lines。")


def _read(workbook: Any, form: Form, told: _Told | None) -> Iterator[Row | Fault]:
    sheets = {sheet.title.strip(): sheet for sheet in workbook.worksheets}
    if not sheets:
        yield Fault("工作簿里没有工作表")
        return
    main, table = _main(workbook.worksheets, form)
    if table is None:
        yield Fault(f"前 {HEADER_WITHIN} 行里没有表头“{form.code.header}”", sheet=main.title, field=form.code.key)
        return
    stop = False
    for column in table.missing:
        stop = True
        yield Fault(f"缺少列“{column.header}”", table.header_line, table.title, column.key, column.header)
    gathered: list[_Gathered] = []
    for sheet in form.lists:
        found = sheets.get(sheet.title)
        if found is None or found is main:
            if sheet.required:
                stop = True
                yield Fault(f"缺少工作表“{sheet.title}”（没有内容时也要保留表头）", sheet=sheet.title, field=sheet.key)
            continue
        result = _Gathered(sheet, found.title)
        for fault in _gather(found, form.code, result):
            stop = True
            yield fault
        gathered.append(result)
    if stop:
        # what follows would repeat the same faults for every row
        return
    for name in table.strange:
        yield Note("不认识这一列，已忽略", table.header_line, table.title, name, name)
    yield from _rows(table, form, gathered, told)


def _main(sheets: Sequence[Any], form: Form) -> tuple[Any, _Table | None]:
    """The main sheet: the one of the form's title, else the first that has the code's column and is no list."""
    lists = {sheet.title for sheet in form.lists}
    for sheet in sorted(sheets, key=lambda sheet: sheet.title.strip() != form.title):
        if sheet.title.strip() not in lists and (table := _table(sheet, form.columns, form.code)) is not None:
            return sheet, table
    return sheets[0], None


def _rows(table: _Table, form: Form, gathered: list[_Gathered], told: _Told | None) -> Iterator[Row | Fault]:
    known: set[str] = set()
    columns = {column.key: column for column in form.columns}
    for line, cells in table.rows:
        if told and line % 200 == 0:
            told(line, max(table.last_line, line))
        values: dict[str, Any] = {}
        for key, place in table.places.items():
            value = _value(cells, place, columns[key].cell)
            if isinstance(value, str) and value in _ERRORS:
                yield Fault(f"单元格是公式错误 {value}", line, table.title, key, columns[key].header)
                value = None
            part, _, inner = key.partition(".")
            if not inner:
                values[part] = value
            elif value is not None:
                values.setdefault(part, {})[inner] = value
        if all(value in (None, []) for value in values.values()):
            continue
        code = _text(values.get(form.code.key)) or ""
        values[form.code.key] = code
        known.add(code)
        places: dict[str, tuple[str, list[int]]] = {}
        for lists in gathered:
            key = lists.sheet.key
            items = lists.items.get(code, [])
            if lists.sheet.shape == "words" and values.get(key):
                continue  # written in the main sheet's own cell
            values[key] = items
            places[key] = (lists.title, lists.lines.get(code, []))
        for sheet in form.lists:
            if values.get(sheet.key) is None:
                values[sheet.key] = []
        yield Row(line, values, table.title, places)
    for lists in gathered:
        for code, lines in lists.lines.items():
            if code not in known:
                reason = f"“{table.title}”表里没有编码 {code}"
                yield Fault(reason, lines[0], lists.title, form.code.key, form.code.header)


def _gather(sheet: Any, code: Column, result: _Gathered) -> Iterator[Fault]:
    shape = result.sheet.shape
    table = _table(sheet, result.sheet.columns, code)
    if table is None:
        yield Fault(f"前 {HEADER_WITHIN} 行里没有表头“{code.header}”", sheet=sheet.title, field=result.sheet.key)
        return
    for column in table.missing:
        path = f"{result.sheet.key}[].{column.key}" if column.key else result.sheet.key
        yield Fault(f"缺少列“{column.header}”", table.header_line, table.title, path, column.header)
    if table.missing:
        return
    for line, cells in table.rows:
        owner = _text(_value(cells, table.places[code.key], Cell.TEXT))
        values = {
            key: value
            for key, place in table.places.items()
            if key != code.key and (value := _value(cells, place, Cell.TEXT)) is not None
        }
        if owner is None and not values:
            continue
        if owner is None:
            yield Fault(f"缺少“{code.header}”", line, table.title, code.key, code.header)
            continue
        items, lines = result.items.setdefault(owner, []), result.lines.setdefault(owner, [])
        if shape == "options":
            question, options = values.get("question"), _options(values.get("options"))
            if items and items[-1]["question"] == question:
                items[-1]["options"] += options
                continue
            values = {"question": question, "options": options}
        items.append(values.get("") if shape == "words" else values)
        lines.append(line)


def _options(value: Any) -> list[Any]:
    """The options in one cell: usually one, but several where somebody wrote them below one another."""
    listed = _json(value)
    if isinstance(listed, list):
        return listed
    return [part.strip() for part in re.split(r"[\n|]+", value) if part.strip()] if isinstance(value, str) else []


def _table(sheet: Any, columns: Sequence[Column], code: Column) -> _Table | None:
    last_line = sheet.max_row or 0
    sheet.reset_dimensions()  # other programs write wrong ones
    rows = enumerate(sheet.iter_rows(values_only=True), start=1)
    names = {name: column for column in columns for name in (column.key, *column.also[::-1], column.header) if name}
    names |= {column.header: column for column in columns}
    codes = {code.key, code.header, *code.also}
    for line, cells in rows:
        headers = [_header(cell) for cell in cells]
        if codes & set(headers):
            places: dict[str, int] = {}
            strange = []
            for place, header in enumerate(headers):
                if header in codes:
                    places.setdefault(code.key, place)
                elif header in names:
                    places.setdefault(names[header].key, place)
                elif header:
                    strange.append(header)
            missing = [column for column in columns if column.required and column.key not in places]
            return _Table(sheet.title, line, last_line, places, missing, strange, rows)
        if line >= HEADER_WITHIN:
            return None
    return None


def _header(cell: Any) -> str:
    return re.sub(r"[\s*＊]|[(（]必填[)）]", "", str(cell)) if cell is not None else ""


def _value(cells: Sequence[Any], place: int, kind: Cell) -> Any:
    value = cells[place] if place < len(cells) else None
    value = value.strip() if isinstance(value, str) else value
    if value is None or value == "":
        return [] if kind is Cell.WORDS else None
    if kind is not Cell.TEXT and (structured := _json(value)) is not None:
        return structured
    if kind is Cell.WORDS:
        return [word.strip() for word in _WORDS.split(str(value)) if word.strip()]
    if kind is Cell.LIMIT:
        return _limit(_text(value) or "")
    return _text(value)


def _json(value: Any) -> Any:
    """What a cell of JSON holds (other programs export lists and limits so); None where it is no JSON."""
    if not isinstance(value, str) or value[:1] not in {"[", "{"}:
        return None
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return None


def _text(value: Any) -> Any:
    """A cell's value as the text a person sees: whole numbers without a point, dates as ISO."""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else value


def _limit(text: str) -> Any:
    """A limit in words as the exchange format's object; what is no limit is left for validation to refuse."""
    if text in _AT_ONCE:
        return {"value": 0, "unit": "工作日"}
    found = _LIMIT.match(text)
    if not found:
        return text
    unit = {"日": "自然日", "天": "自然日"}.get(found[2], found[2])
    return {"value": int(found[1]), "unit": unit}
