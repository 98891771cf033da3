"""What changed between two versions of a case, and which of it a citizen is told. Pure.

Every change has a key that is the same however often and from wherever the case is read, so that nobody is told twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot.cases.model import Case, Stage
from bot.cases.progress import accepted_at, finished_at

ChangeKind = Literal["accepted", "stage", "correction", "finished"]

_TOLD_FIRST: tuple[ChangeKind, ...] = ("correction", "finished", "accepted", "stage")
"""Of several changes at once the citizen is told one: what he must act on, then what is furthest."""
_HANDLING = frozenset({"审查", "决定", "送达"})


@dataclass(frozen=True, slots=True)
class Change:
    """``key``: unique within the case; ``stage``: the stage it belongs to, whose unit and person answer for it."""

    kind: ChangeKind
    key: str
    at: datetime
    stage: Stage


def changes(before: Case | None, after: Case) -> list[Change]:
    """What ``after`` has that ``before`` had not, in the order in which it happened."""
    known = {change.key for change in _all(before)} if before else set()
    return [change for change in _all(after) if change.key not in known]


def told(fresh: list[Change], now: datetime, newest: timedelta) -> Change | None:
    """The change to tell the citizen; None where nothing happened within ``newest`` before ``now``."""
    recent = [change for change in fresh if now - newest <= change.at]
    return min(recent, key=lambda change: (_TOLD_FIRST.index(change.kind), -change.at.timestamp()), default=None)


def was_reopened(before: Case | None, after: Case) -> bool:
    """Whether the office had done its part, and has to do something again."""
    return before is not None and finished_at(before) is not None and finished_at(after) is None


def _all(case: Case) -> list[Change]:
    found: list[Change] = []
    accepted, finished = accepted_at(case), finished_at(case)
    first = next((stage for stage in case.stages if stage.stage == "受理"), case.stages[0])
    if accepted is not None and case.outcome != "不予受理":
        found.append(Change("accepted", "accepted", accepted, first))
    found += [
        Change("stage", f"stage:{stage.stage}:{_stamp(stage.start)}", stage.start, stage)
        for stage in case.stages
        if stage.stage in _HANDLING
    ]
    found += [
        Change("correction", f"correction:{_stamp(pause.start)}", pause.start, _stage_at(case, pause.start))
        for pause in case.pauses
        if pause.kind == "补正"
    ]
    if finished is not None:
        found.append(Change("finished", f"finished:{_stamp(finished)}", finished, _stage_at(case, finished)))
    return sorted(found, key=lambda change: change.at)


def _stage_at(case: Case, moment: datetime) -> Stage:
    """The stage during which ``moment`` was; a stage that ends at it counts, before one that begins then."""
    for stage in case.stages:
        if stage.start <= moment and (stage.end is None or moment <= stage.end):
            return stage
    return case.stages[-1]


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y%m%d%H%M}"
