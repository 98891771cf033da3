"""Complaints of every state as rows, for the board's queries: what the services would have written, drawn at random."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from bot.complaints.numbers import check_digit
from bot.complaints.tables import ComplaintEventRow, ComplaintRow
from bot.judgements.tables import JudgementRow
from bot.store import Store
from bot.supervision.tables import CallbackRow

UNITS = ("甲局", "乙局", "丙局")
CATEGORIES = ("噪声/施工", "噪声/广场舞", "供水/水质")
AREAS = ("人民路", "学府苑", None)
KINDS = ("投诉", "求助", "咨询")
OPEN = ("filed", "dispatched", "signed", "paused", "returned", "reopened")
DONE = ("answered", "reviewed", "closed")


def fill(store: Store, now: datetime, count: int, seed: int = 1) -> None:
    """``count`` complaints of the last forty days."""
    draw = random.Random(seed)
    with store.write() as work:
        for number in range(count):
            row = ComplaintRow(**_values(draw, now, number))
            work.session.add(row)
            work.session.flush()
            _events(draw, work.session, row)
            if row.answered_at is not None and draw.random() < 0.5:
                _judged(draw, work.session, row, now)


def _values(draw: random.Random, now: datetime, number: int) -> dict[str, Any]:
    filed = now - timedelta(minutes=draw.randrange(5, 40 * 24 * 60))
    state = draw.choice([*OPEN, *DONE, *DONE, "merged", "withdrawn"])
    due = filed + timedelta(days=draw.choice([1, 5, 13, 30]), minutes=draw.randrange(60))
    answered = filed + (now - filed) * draw.random() if state in DONE else None
    unit = draw.choice(UNITS) if state != "filed" else None
    late = draw.random() < 0.2 and unit is not None and min(answered or now, now) > due
    digits = f"26{number:010}"
    vector = np.zeros(384, np.float16)
    vector[number % 5] = 1
    return {
        "number": f"TS{digits}{check_digit(digits)}",
        "code_index": "0" * 64,
        "sealed": b"-",
        "text": f"第 {number} 件：水管爆了",
        "kind": draw.choice(KINDS),
        "category": draw.choice(CATEGORIES),
        "urgent": draw.random() < 0.1,
        "area": draw.choice(AREAS),
        "anonymous": False,
        "attachments": [],
        "channel": "api",
        "state": state,
        "version": 1,
        "department": unit,
        "held_late_by": draw.choice(UNITS) if late else None,
        "co_departments": [],
        "confidence": 0.5,
        "candidates": [],
        "filed_at": filed,
        "sign_due_at": filed + timedelta(days=1),
        "reply_due_at": filed + timedelta(days=3),
        "due_at": due,
        "return_until": filed + timedelta(days=2),
        "provisional": False,
        "extension_asked": state == "signed" and draw.random() < 0.3,
        "extensions": draw.choice([0, 0, 1]),
        "answered_at": answered,
        "closed_at": answered if state == "closed" else None,
        "encoder": "test",
        "vector": vector.tobytes(),
    }


def _events(draw: random.Random, session: Any, row: ComplaintRow) -> None:
    happened: list[tuple[str, datetime, dict[str, Any]]] = [("file", row.filed_at, {})]
    if draw.random() < 0.2:
        happened.append(("return", row.filed_at + timedelta(hours=1), {"department": draw.choice(UNITS)}))
    if row.answered_at is not None:
        happened.append(("answer", row.answered_at, {"department": row.department}))
    for place, (act, at, details) in enumerate(happened, start=1):
        session.add(
            ComplaintEventRow(
                complaint_id=row.id, number=place, at=at, act=act, state="filed", actor="system", details=details
            )
        )


def _judged(draw: random.Random, session: Any, row: ComplaintRow, now: datetime) -> None:
    at = min(now, (row.answered_at or now) + timedelta(hours=draw.randrange(48)))
    session.add(
        JudgementRow(
            subject=f"complaint:{row.number}{draw.choice(['', ':7'])}", occasion="answer:1", title="诉求",
            unit=row.department, asked_at=at, answered_at=at, level=draw.randrange(1, 6),
        )
    )  # fmt: skip
    session.add(
        CallbackRow(
            complaint_id=row.id, reason="answer", occasion=1, unit=row.department, state="done", made_at=at, days=1,
            due_at=at, provisional=False, outcome=draw.choice(["satisfied", "dissatisfied", "unreachable"]), done_at=at,
        )
    )  # fmt: skip
