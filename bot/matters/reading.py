"""Import files as rows: JSON Lines here, workbooks in ``workbook.py``. Nothing is judged but the format itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import orjson

from bot.errors import InvalidInput
from bot.matters.faults import Fault
from bot.matters.form import Form
from bot.matters.rows import Row

LONGEST_LINE = 4_000_000
"""Bytes of one line; no guide comes near it."""

_WORKBOOK_MAGIC = b"PK\x03\x04"
_OLD_WORKBOOK_MAGIC = b"\xd0\xcf\x11\xe0"

Told = Callable[[int, int], None]
"""Told how much of how much has been read (bytes or rows)."""


def read_rows(path: Path, form: Form, told: Told | None = None) -> Iterator[Row | Fault]:
    """The rows of the file at ``path`` and the faults of its format, in file order.

    Raises InvalidInput where the file as a whole cannot be read: missing, a folder, an old .xls, a corrupt workbook.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise InvalidInput(
            f"读不到文件 {path}：{error.strerror or error}。",
            code="file_unreadable",
            remedy="请检查文件名和读取权限。",
        ) from error
    if magic == _OLD_WORKBOOK_MAGIC:
        raise InvalidInput(
            f"{path.name} 是旧版 Excel（.xls）文件或加了密码。",
            code="file_format",
            remedy="请用 Excel 或 WPS 打开，不设密码，另存为 .xlsx 后再导入。",
        )
    if magic == _WORKBOOK_MAGIC or path.suffix.lower() in {".xlsx", ".xlsm"}:
        from bot.matters.workbook import read_workbook  # openpyxl takes a second to import

        return read_workbook(path, form, told)
    return _read_json_lines(path, told)


def _read_json_lines(path: Path, told: Told | None) -> Iterator[Row | Fault]:
    size, done = path.stat().st_size, 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            done += len(line)
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if told and number % 500 == 0:
                told(done, size)
            if not line.strip():
                continue
            yield _parsed(number, line)
    if told:
        told(size, size)


def _parsed(number: int, line: bytes) -> Row | Fault:
    if len(line) > LONGEST_LINE:
        return Fault(f"这一行超过 {LONGEST_LINE} 字节", number)
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        try:
            line.decode()
        except UnicodeDecodeError as wrong:
            return Fault(f"不是 UTF-8 编码（第 {wrong.start + 1} 个字节）；请另存为 UTF-8", number)
        return Fault(f"不是一个完整的 JSON 对象（第 {error.colno} 个字符附近）；每行应当是一条", number)
    if not isinstance(value, dict):
        return Fault("应为一个 JSON 对象（{…}）；文件每行一个，不要写成一个大列表", number)
    return Row(number, value)
