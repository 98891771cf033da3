"""A case as citizens see it: the fields of its card, and the same in sentences for channels without cards. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from bot.answers.phrases import Phrases
from bot.cases.model import STAGES, Case, CaseState
from bot.cases.progress import ClockView, Progress


def card(case: Case, found: Progress, phrases: Phrases, today: date) -> dict[str, Any]:
    """The fields of the card, as the API gives them: times in ISO 8601, names of the applicant masked."""
    return {
        "number": case.number,
        "matter": case.matter,
        "matter_name": case.matter_name,
        "department": case.department,
        "applicant": masked_name(case.applicant.name),
        "state": found.state.value,
        "headline": _headline(case, found, phrases),
        "unit": found.stage.unit or case.department,
        "person": found.stage.person,
        "stages": list(_stages(case, found)),
        "clock": _clock(found.clock, phrases, today),
        "owes": _owes(case, found, phrases, today),
        "next": found.next_stage,
        "overdue": found.overdue,
        "outcome": case.outcome,
        "accepted_at": _iso(found.accepted_at),
        "closed_at": _iso(found.closed_at),
        "delivery": case.delivery,
        "tracking": case.tracking,
        "updated_at": _iso(case.updated_at),
    }


def text(case: Case, found: Progress, phrases: Phrases, today: date) -> str:
    """The card in sentences, one a line."""
    return "\n".join(line for line in _lines(case, found, phrases, today) if line)


def masked_name(name: str | None) -> str | None:
    """The first sign of a name and stars: enough to see that it is one's own."""
    return name[0] + "*" * min(len(name) - 1, 3) if name else None


def _lines(case: Case, found: Progress, phrases: Phrases, today: date) -> Iterator[str]:
    say = phrases.say
    yield say("case_card.title", matter=case.matter_name, number=case.number)
    yield _headline(case, found, phrases)
    owes = _owes(case, found, phrases, today)
    if owes:
        yield owes["text"]
    clock = _clock(found.clock, phrases, today)
    yield clock["text"]
    if found.state is CaseState.CLOSED:
        if found.closed_at:
            yield say("case_card.closed_on", day=phrases.day(found.closed_at.date(), today))
    else:
        unit, person = found.stage.unit or case.department, found.stage.person
        who = (
            say("case_card.handled_person", unit=unit, person=person) if person else say("case_card.handled", unit=unit)
        )
        yield who + say("case_card.since", day=phrases.day(found.stage.start.date(), today))
        if found.next_stage:
            yield say("case_card.next", stage=found.next_stage)
    if case.delivery:
        yield say("case_card.delivery", delivery=case.delivery)
    if case.tracking:
        yield say("case_card.tracking", tracking=case.tracking)


def _headline(case: Case, found: Progress, phrases: Phrases) -> str:
    state = found.state
    if state in (CaseState.CLOSED, CaseState.DELIVERING) and case.outcome:
        return phrases.say(f"case_card.{state}_outcome", outcome=case.outcome)
    kind = found.clock.stopped_by.kind if found.clock.stopped_by else (found.owes.kind if found.owes else "")
    return phrases.say(f"case_card.{state}", stage=found.stage.stage, kind=kind)


def _stages(case: Case, found: Progress) -> Iterator[Mapping[str, Any]]:
    """What was, what is, and the stages still to come."""
    for stage in case.stages:
        current = stage is found.stage and found.closed_at is None
        yield {
            "stage": stage.stage,
            "unit": stage.unit,
            "person": stage.person,
            "start": _iso(stage.start),
            "end": _iso(stage.end),
            "result": stage.result,
            "status": "now" if current and stage.end is None else "done",
        }
    if found.closed_at is None:
        for name in STAGES[STAGES.index(found.stage.stage) + 1 :]:
            nothing = dict.fromkeys(("unit", "person", "start", "end", "result"))
            yield {"stage": name, **nothing, "status": "todo"}


def _clock(clock: ClockView, phrases: Phrases, today: date) -> dict[str, Any]:
    return {
        "limit": clock.limit.value if clock.limit else None,
        "unit": clock.limit.unit if clock.limit else None,
        "used": clock.used,
        "left": clock.left,
        "due": clock.due.isoformat() if clock.due else None,
        "provisional": clock.provisional,
        "stopped_by": clock.stopped_by.kind if clock.stopped_by else None,
        "late_days": clock.late_days,
        "text": _clock_text(clock, phrases, today),
    }


def _clock_text(clock: ClockView, phrases: Phrases, today: date) -> str:
    say = phrases.say
    limit = clock.limit
    if limit is None or clock.counts_from is None:
        return ""
    working = clock.in_working_days
    if clock.stopped_by is not None:
        left = max(clock.left or 0, 0)
        return (
            say("case_card.limit_stopped", used=clock.used, left=left)
            if working
            else say("case_card.limit_stopped_days")
        )
    if clock.due is None:
        return ""
    day = phrases.day(clock.due, today)
    if clock.is_open and clock.due < today:
        late = clock.late_days
        return say("case_card.overdue", late=late, day=day) if late else say("case_card.overdue_today", day=day)
    if not clock.is_open:
        return say("case_card.limit_done", used=clock.used) if working else ""
    words = f"{limit.value} 个{limit.unit}" if limit.unit in ("工作日", "月") else f"{limit.value} {limit.unit}"
    if clock.due == today:
        said = say("case_card.limit_last_day", limit=words)
    elif working:
        said = say("case_card.limit", limit=words, used=clock.used, left=clock.left, day=day)
    else:
        said = say("case_card.limit_days", limit=words, left=(clock.due - today).days, day=day)
    return said + (say("case_card.provisional") if clock.provisional else "")


def _owes(case: Case, found: Progress, phrases: Phrases, today: date) -> dict[str, Any] | None:
    """The correction that is asked for."""
    owed = found.owes
    if owed is None:
        return None
    unit = found.stage.unit or case.department
    said = (
        phrases.say("case_card.owes", note=owed.note.rstrip("。") + "。")
        if owed.note
        else phrases.say("case_card.owes_plain", unit=unit)
    )
    if owed.due is not None:
        said += phrases.say("case_card.owes_due", day=phrases.day(owed.due.date(), today))
    return {"kind": owed.kind, "note": owed.note, "due": _iso(owed.due), "text": said}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
