"""A list of complaints as a file: CSV row by row, or a workbook. Personal numbers are starred, formulas are none."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from bot.board.model import LIGHT_NAMES
from bot.board.service import Item
from bot.masking import masked
from bot.store.faults import explaining

MOST_ROWS = 200_000
MOST_IN_WORKBOOK = 50_000
HEADERS = (
    "编号", "类型", "大类", "小类", "紧急", "地点", "内容", "承办单位", "到期时的承办单位", "状态", "灯",
    "登记时间", "签收期限", "办结期限", "期限暂定", "答复时间", "延期次数",
)  # fmt: skip
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def row(item: Item) -> Sequence[str]:
    """The cells of one complaint, in the order of :data:`HEADERS`."""
    upper, _, lower = item.category.partition("/")
    cells = (
        item.number,
        item.kind,
        upper,
        lower,
        "是" if item.urgent else "",
        masked(item.location or ""),
        masked(item.text),
        item.department or "",
        item.held_late_by or "",
        item.state_name,
        LIGHT_NAMES[item.light] if item.light else "",
        f"{item.filed_at:%Y-%m-%d %H:%M}",
        f"{item.sign_due_at:%Y-%m-%d %H:%M}",
        f"{item.due_at:%Y-%m-%d %H:%M}",
        "是" if item.provisional else "",
        f"{item.answered_at:%Y-%m-%d %H:%M}" if item.answered_at else "",
        str(item.extensions),
    )
    return [safe(cell) for cell in cells]


def safe(cell: str) -> str:
    """``cell`` so that no spreadsheet takes it for a formula: one that could be begins with an apostrophe."""
    return f"'{cell}" if cell.startswith(_BEGINS_FORMULA) else cell


def as_csv(batches: Iterable[Sequence[Item]]) -> Iterator[str]:
    """The file piece by piece, with the mark by which Excel knows UTF-8."""
    page = io.StringIO()
    written = csv.writer(page)
    page.write("\ufeff")
    written.writerow(HEADERS)
    yield page.getvalue()
    for items in batches:
        page.seek(0)
        page.truncate()
        written.writerows(row(item) for item in items)
        yield page.getvalue()


def as_workbook(batches: Iterable[Sequence[Item]], target: IO[bytes]) -> None:
    """Writes the workbook to ``target``. Raises StorageFull."""
    workbook = Workbook(write_only=True)
    page = workbook.create_sheet("诉求")
    page.freeze_panes = "A2"
    page.append(HEADERS)
    for items in batches:
        for item in items:
            page.append([_text(page, cell) for cell in row(item)])
    with explaining():
        workbook.save(target)


def _text(page: Any, value: str) -> Any:
    cell = WriteOnlyCell(page, value)
    if cell.data_type == "f":
        cell.data_type = "s"
    return cell
