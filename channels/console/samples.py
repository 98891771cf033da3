"""The sample city's cases: written for one day, moved to the present whenever they are loaded.

``catalogue/cases.jsonl`` is a plain import file as of its day. Its times are moved by whole weeks, so that what is due
tomorrow there is due within days here, and weekdays stay what they were.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from bot.cases.keeping import CaseKeeper
from bot.clock import ZONE
from channels.console.output import step

WRITTEN_FOR = date(2026, 11, 25)
SOURCE = "sample"
SHOWN = (1, 2, 3, 6)
"""Rows that are shown as examples: late, waiting for a correction, closed, stopped by a hearing."""

_TIMES = {"start", "end", "due", "closed_at", "updated_at"}


@dataclass(frozen=True, slots=True)
class Example:
    """A case to try out."""

    number: str
    query_code: str
    matter_name: str


def load_sample_cases(keeper: CaseKeeper, file: Path, today: date, folder: Path) -> None:
    """Loads the cases of ``file`` as of ``today``, or moves those loaded before; leaves others' cases alone."""
    if keeper.count() != keeper.count(SOURCE):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".jsonl") as moved, step("载入示例办件（虚构）") as meter:
        for row in _rows(file):
            moved.write(orjson.dumps(_moved(row, weeks(today))) + b"\n")
        moved.flush()
        keeper.import_file(Path(moved.name), replace=True, actor="system", progress=meter.phase, source=SOURCE)


def examples(file: Path) -> Sequence[Example]:
    """A few cases with their codes, for whoever tries the sample city."""
    rows = _rows(file)
    return [Example(rows[n]["number"], rows[n]["query_code"], rows[n]["matter_name"]) for n in SHOWN]


def _rows(file: Path) -> list[Any]:
    return [orjson.loads(line) for line in file.read_bytes().splitlines()]


def weeks(today: date) -> timedelta:
    """How far the times move: to the latest day of the same weekday that is not after ``today``."""
    return timedelta(weeks=(today - WRITTEN_FOR).days // 7)


def _moved(value: Any, by: timedelta) -> Any:
    if isinstance(value, dict):
        return {
            key: _later(inner, by) if key in _TIMES and isinstance(inner, str) else _moved(inner, by)
            for key, inner in value.items()
        }
    return [_moved(inner, by) for inner in value] if isinstance(value, list) else value


def _later(moment: str, by: timedelta) -> str:
    return (datetime.fromisoformat(moment).astimezone(ZONE) + by).isoformat()
