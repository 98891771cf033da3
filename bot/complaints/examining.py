"""Scoring the decisions on labelled complaints: unit, kind, danger, category, same incident. Pure.

The labels are of another hand than the decisions; a unit counts as right where it is ``department`` or one of
``department_any``. Shares come with their 95 % interval: another file of the same make would move within it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bot.complaints.deciding import Decision
from bot.complaints.model import Kind
from bot.errors import InvalidInput
from index.evaluation.rates import Calibration, Rate, calibration, rate
from index.incident import Incidents
from index.pairing import incidents, report


@dataclass(frozen=True)
class Labelled:
    """One complaint of an evaluation file. What has no label is not scored."""

    text: str
    departments: frozenset[str]
    power: str | None
    category: str | None
    kind: str | None
    urgent: bool | None
    location: str | None
    duplicate_of: int | None


@dataclass(frozen=True)
class Examined:
    """The figures by name, the calibration of the confidence, and every complaint that went wrong."""

    rates: Mapping[str, Rate]
    calibration: Calibration
    wrong: tuple[Mapping[str, Any], ...]
    outside: int
    """Complaints whose units are not in the published list: they count as wrong."""

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "format": 1,
            "scores": {name: each.to_dict() for name, each in self.rates.items()},
            "calibration": self.calibration.to_dict(),
            "departments_not_in_list": self.outside,
            "wrong": list(self.wrong),
        }


def read_labelled(path: Path) -> list[Labelled]:
    """The complaints of a JSON Lines file. Raises InvalidInput with every faulty line."""
    try:
        lines = [line for line in path.read_text("utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"读不到文件 {path}：{error}。", remedy="请检查路径；文件应为 UTF-8 编码。") from error
    found: list[Labelled] = []
    faults: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(_labelled(json.loads(line), len(lines)))
        except ValueError as error:
            field, _, reason = str(error).partition("：")
            broken = isinstance(error, json.JSONDecodeError)
            faults.append(
                {"line": number, "field": "" if broken else field, "reason": "不是 JSON 对象" if broken else reason}
            )
    if faults or not found:
        raise InvalidInput(
            f"{path} 有 {len(faults)} 行不是可评测的诉求，没有开始评测。" if faults else f"{path} 里没有诉求。",
            code="complaints_faulty",
            remedy="每行应为 {text, department, kind, urgent, duplicate_of …}，说明见 docs/complaints.md。",
            details=faults,
        )
    return found


def _labelled(row: Any, count: int) -> Labelled:
    if not isinstance(row, dict):
        raise ValueError("：应为 JSON 对象")
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("text：缺少诉求内容")
    several = row.get("department_any") or []
    if not isinstance(several, list):
        raise ValueError("department_any：应为单位名称的列表")
    kind, urgent, same = row.get("kind"), row.get("urgent"), row.get("duplicate_of")
    if kind is not None and kind not in set(Kind):
        raise ValueError(f"kind：没有“{kind}”这种诉求类型")
    if urgent is not None and not isinstance(urgent, bool):
        raise ValueError("urgent：应为 true 或 false")
    if same is not None and (isinstance(same, bool) or not isinstance(same, int) or not 0 <= same < count):
        raise ValueError("duplicate_of：应为本文件中从 0 起数的行号")
    category = row.get("category")
    named = [str(name) for name in (row.get("department"), *several) if name]
    return Labelled(
        text=text.strip(),
        departments=frozenset(named),
        power=row.get("power"),
        category="/".join(map(str, category)) if isinstance(category, list) else category,
        kind=kind,
        urgent=urgent,
        location=row.get("location"),
        duplicate_of=same,
    )


def examine(
    complaints: Sequence[Labelled], decisions: Sequence[Decision], units: frozenset[str], models: Incidents
) -> Examined:
    """The figures of ``decisions``; ``units``: those of the published list."""
    wrong: list[dict[str, Any]] = []
    first: list[bool] = []
    three: list[bool] = []
    powers: list[bool] = []
    sent: list[bool] = []
    sent_right: list[bool] = []
    sure: list[tuple[float, bool]] = []
    outside = 0
    for number, (complaint, decision) in enumerate(zip(complaints, decisions, strict=True)):
        if not complaint.departments:
            continue
        outside += not complaint.departments & units
        offered = [candidate.department for candidate in decision.candidates]
        right = bool(offered) and offered[0] in complaint.departments
        first.append(right)
        three.append(bool(complaint.departments & set(offered[:3])))
        sure.append((decision.confidence, right))
        sent.append(decision.department is not None)
        if decision.department is not None:
            sent_right.append(right)
        if right and complaint.power and decision.best:
            powers.append(decision.best.power == complaint.power)
        if not right:
            chosen = [candidate.to_dict() for candidate in decision.candidates]
            wrong.append(_fault(number, complaint, "department", sorted(complaint.departments), chosen))
    labelled = list(zip(complaints, decisions, strict=True))
    rates = {
        "department_first": rate(first),
        "department_within_three": rate(three),
        "power": rate(powers),
        "sent_without_asking": rate(sent),
        "sent_right": rate(sent_right),
        "kind": rate([d.kind == c.kind for c, d in labelled if c.kind]),
        "category": rate([d.category == c.category for c, d in labelled if c.category]),
        "category_upper": rate(
            [d.category.split("/")[0] == c.category.split("/")[0] for c, d in labelled if c.category]
        ),
        "urgent_found": rate([d.urgent for c, d in labelled if c.urgent is True]),
        "urgent_false_alarms": rate([d.urgent for c, d in labelled if c.urgent is False]),
        **_duplicates(complaints, decisions, models, wrong),
    }
    for number, (complaint, decision) in enumerate(labelled):
        if complaint.urgent is not None and complaint.urgent != decision.urgent:
            wrong.append(_fault(number, complaint, "urgent", complaint.urgent, decision.urgent))
    return Examined(rates, calibration(sure), tuple(wrong), outside)


def _duplicates(
    complaints: Sequence[Labelled], decisions: Sequence[Decision], models: Incidents, wrong: list[dict[str, Any]]
) -> dict[str, Rate]:
    """Each complaint is held against those before it, as they come in; the best one that is near enough is its pair."""
    incident = incidents([complaint.duplicate_of for complaint in complaints])
    made = [report(c.text, c.location, d.vector) for c, d in zip(complaints, decisions, strict=True)]
    vectors = np.stack([each.vector for each in made])
    found: list[bool] = []
    right: list[bool] = []
    for later in range(1, len(made)):
        chosen = models.same(made[later], vectors[:later], made.__getitem__)
        known = any(incident[n] == incident[later] for n in range(later))
        hit = chosen is not None and incident[chosen] == incident[later]
        if known:
            found.append(hit)
        if chosen is not None:
            right.append(hit)
        if known != hit or (chosen is not None and not hit):
            wrong.append(_fault(later, complaints[later], "duplicate_of", complaints[later].duplicate_of, chosen))
    return {"duplicates_found": rate(found), "duplicates_right": rate(right)}


def _fault(number: int, complaint: Labelled, field: str, expected: object, got: object) -> dict[str, Any]:
    return {"row": number, "text": complaint.text, "field": field, "expected": expected, "got": got}
