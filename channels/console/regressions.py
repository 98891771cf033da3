"""``wenban eval regressions``: whether what editors decided when they published still holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.clock import SystemClock
from bot.learning.model import HALF, RIGHT, Given, judged
from bot.learning.regressions import Regression, Regressions
from bot.settings import load_settings
from channels.console import parts
from channels.console.examination import records_of
from channels.console.output import OUT, table
from index.evaluation.questions import Question
from index.evaluation.scoring import Record


async def eval_regressions(json_file: Path | None, clients: int, server: str | None) -> int:
    """Puts every regression case again and says which do not hold; 1 where any does not, else 0."""
    settings = load_settings()
    parts.upgrade(settings)
    cases = Regressions(parts.store(settings), SystemClock()).all()
    if not cases:
        OUT.print("还没有回归题：编辑第一次发布草稿之后就有了。")
        return 0
    asked = [Question(number, case.text, case.expected.matters, ()) for number, case in enumerate(cases, 1)]
    rows = rows_of(cases, await records_of(settings, asked, clients, server))
    broken = [row for row in rows if row["score"] < RIGHT]
    if json_file:
        report = {"total": len(rows), "broken": len(broken), "cases": rows}
        json_file.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    OUT.print(f"回归题 {len(rows)} 道，做到 {len(rows) - len(broken)} 道。")
    if broken:
        shown = [
            (
                row["text"],
                f"不答 {row['never']}" if row["never"] else f"答 {row['expected']}",
                f"{row['outcome']} {row['matter'] or ''}",
                "一半" if row["score"] == HALF else "没有",
                row["since"],
            )
            for row in broken
        ]
        OUT.print(table(["问题", "应当", "得到", "做到", "从哪一版起"], shown, title="没做到的"))
    return 1 if broken else 0


def rows_of(cases: Sequence[Regression], records: Sequence[Record]) -> list[dict[str, Any]]:
    """Each case with what it got and its score (1, 0.5, 0)."""
    return [
        {
            "text": case.text,
            "expected": next(iter(case.expected.matters), None),
            "never": case.expected.never,
            "since": case.since,
            "outcome": record.answer.outcome,
            "matter": record.answer.matter,
            "score": judged(case.expected, _given(record)),
        }
        for case, record in zip(cases, records, strict=True)
    ]


def _given(record: Record) -> Given:
    answer = record.answer
    return Given(answer.outcome, answer.matter, answer.candidates, answer.confidence or 0.0)
