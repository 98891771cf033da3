"""How the terminal shows things: faults with their remedy, long steps with progress, tables, JSON for machines."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from bot.errors import WenbanError

OUT = Console(highlight=False, soft_wrap=True)
SAY = Console(stderr=True, highlight=False, soft_wrap=True)
"""For what is said about the work, so that standard output holds only the result."""

PHASES = {"read": "校验", "store": "存入", "index": "编码与建索引", "publish": "发布"}
"""The phases of an import, as :mod:`bot.matters.publishing` names them."""

SHOWN_DETAILS = 50
"""Rows of a fault table that are printed; the count of the others is said."""

COLUMNS = {
    "line": "行",
    "sheet": "工作表",
    "field": "字段",
    "label": "名称",
    "reason": "原因",
    "setting": "设置",
    "value": "值",
}


def print_json(value: object) -> None:
    """Writes ``value`` as JSON to standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def show_error(error: WenbanError) -> None:
    """Says what went wrong and what to do, with a table of the details where there are any."""
    SAY.print(f"[bold red]✗[/] {escape(error.message)}")
    if error.details:
        SAY.print(detail_table(error.details[:SHOWN_DETAILS]))
        if len(error.details) > SHOWN_DETAILS:
            SAY.print(f"  另有 {len(error.details) - SHOWN_DETAILS} 处，未全部列出（--json 可列出全部）。")
    if error.remedy:
        SAY.print(f"  [bold]怎么办：[/]{escape(error.remedy)}")


def detail_table(details: Sequence[Mapping[str, Any]]) -> Table:
    """Details of an error as a table, with a column for each key that holds something."""
    keys = [key for key in dict.fromkeys(key for detail in details for key in detail) if _filled(details, key)]
    return table(
        [COLUMNS.get(key, key) for key in keys], [[_cell(detail.get(key)) for key in keys] for detail in details]
    )


def table(columns: Iterable[str], rows: Iterable[Sequence[object]], title: str | None = None) -> Table:
    """A plain table; columns whose name ends in ``%`` or holds a unit in brackets are set to the right."""
    made = Table(title=title, title_justify="left", header_style="bold")
    for name in columns:
        made.add_column(escape(name), justify="right" if name.endswith(("%", "）")) else "left", overflow="fold")
    for row in rows:
        made.add_row(*(escape(str(cell)) for cell in row))
    return made


def _filled(details: Sequence[Mapping[str, Any]], key: str) -> bool:
    return any(detail.get(key) not in (None, "") for detail in details)


def _cell(value: object) -> str:
    return "" if value is None else str(value)


@contextlib.contextmanager
def errors_as_json(wanted: bool) -> Iterator[None]:
    """Where ``wanted``, an error is written as JSON to standard output and ends the command with status 1."""
    try:
        yield
    except WenbanError as error:
        if not wanted:
            raise
        print_json(error.as_dict())
        raise typer.Exit(1) from error


class Meter:
    """Takes the progress of one long step; shows it where ``update`` does."""

    def __init__(self, title: str, update: Callable[[str, int, int], None] | None) -> None:
        self._title = title
        self._update = update

    def advance(self, done: int, total: int) -> None:
        """``done`` out of ``total`` is done."""
        if self._update:
            self._update(self._title, done, total)

    def phase(self, name: str, done: int, total: int) -> None:
        """The same within a named phase of the step."""
        if self._update:
            self._update(f"{self._title}：{PHASES.get(name, name)}", done, total)


@contextlib.contextmanager
def step(title: str) -> Iterator[Meter]:
    """Shows one long step: a moving line with a bar on a terminal, one line at its start and end elsewhere."""
    start = time.monotonic()
    if SAY.is_terminal:
        counts = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*counts, TimeElapsedColumn(), console=SAY, transient=True) as bar:
            task = bar.add_task(escape(title), total=None)

            def update(name: str, done: int, total: int) -> None:
                bar.update(task, description=escape(name), completed=done, total=total)

            yield Meter(title, update)
    else:
        SAY.print(f"▸ {title} …", markup=False)
        yield Meter(title, None)
    SAY.print(f"✓ {title}：{time.monotonic() - start:.1f} 秒", markup=False)
