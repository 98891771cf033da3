"""Writing a case with all that follows from it, in one transaction: the row, who is told, what is asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import insert

from bot.answers.phrases import Phrases
from bot.cases import repository
from bot.cases.changes import Change, changes, told, was_reopened
from bot.cases.model import Case
from bot.cases.numbers import folded
from bot.cases.progress import Calendar, open_pause, progress
from bot.cases.sealing import CaseSealer, Columns
from bot.cases.tables import CaseRow
from bot.errors import Conflict
from bot.judgements.service import JudgementService
from bot.notifications.model import Address, Notice
from bot.notifications.service import NotificationService
from bot.settings import Settings
from bot.store import UnitOfWork

Taken = Literal["added", "changed", "unchanged"]

WEB_FRESH = timedelta(hours=24)
"""How long after a case was shown in a web conversation its news appear there."""
_LONGEST_VALUE = 120


class CaseWriter:
    """Stores cases and emits what follows. Holds no state of its own."""

    def __init__(
        self,
        sealer: CaseSealer,
        notifications: NotificationService,
        judgements: JudgementService,
        calendar: Calendar,
        settings: Settings,
    ) -> None:
        self.sealer = sealer
        self._notifications = notifications
        self._judgements = judgements
        self._calendar = calendar
        self._newest = timedelta(days=settings.notice_days)
        self._phrases = Phrases(settings.city_name, settings.hotline)
        self._base = settings.links

    def put(self, work: UnitOfWork, case: Case, source: str, now: datetime) -> Taken:
        """Stores one case. Raises Conflict where another source holds the number, or holds a later version."""
        columns = self.sealer.columns(case)
        row = repository.by_folded(work.session, columns.values["folded"], lock=True)
        if row is None:
            work.session.execute(insert(CaseRow).values(**self.fresh(columns, source, now)))
            row = repository.by_folded(work.session, columns.values["folded"])
            assert row is not None  # noqa: S101  (inserted above)
            self.tell(work, row.id, None, case, now)
            return "added"
        reason = refusal(row, columns, source)
        if reason is not None:
            code, text = reason
            raise Conflict(text, code=code, remedy=_REMEDIES[code])
        return self.replace(work, row, columns, case, now)

    @staticmethod
    def fresh(columns: Columns, source: str, now: datetime) -> Mapping[str, Any]:
        """The values of a new row."""
        return {**columns.values, "source": source, "created_at": now, "updated_at": now}

    def replace(self, work: UnitOfWork, row: CaseRow, columns: Columns, case: Case, now: datetime) -> Taken:
        """Puts ``case`` in the place of what ``row`` holds, which must be of the same source."""
        if row.digest == columns.digest:
            return "unchanged"
        before = self.sealer.case(row)
        for name, value in columns.values.items():
            setattr(row, name, value)
        row.updated_at = now
        if was_reopened(before, case):
            work.audit("system", "case.reopen", f"case:{row.folded}")
        self.tell(work, row.id, before, case, now)
        return "changed"

    def concerns(self, case: Case, now: datetime) -> bool:
        """Whether somebody may have to be told of a case that is seen for the first time."""
        return told(changes(None, case), now, self._newest) is not None

    def tell(self, work: UnitOfWork, case_id: int, before: Case | None, case: Case, now: datetime) -> None:
        """Tells the citizen what is new in ``case``, and asks how it was."""
        change = told(changes(before, case), now, self._newest)
        if change is None:
            return
        number = folded(case.number)
        citizens = repository.citizens_of(work.session, case_id)
        token = self.ask(work, case, change, citizens[0] if citizens else None)
        values = {**self._values(case, change, now), "judge": f"{self._base}/judge/{token}"}
        template = f"case.{change.kind}"
        addresses: list[Address] = []
        for citizen in citizens:
            channel, _, address = citizen.partition(":")
            addresses.append((channel, address))
        if case.applicant.phone:
            addresses.append(("sms", case.applicant.phone))
        key = f"{number}:{change.key}"
        self._notifications.tell(work, Notice(key, f"case:{number}", template, values, tuple(addresses)))
        for conversation in repository.followers(work.session, case_id, now - WEB_FRESH):
            to_page = (("web", conversation),)
            self._notifications.tell(
                work, Notice(f"{key}:web:{conversation[:12]}", f"case:{number}", template, values, to_page)
            )

    def ask(self, work: UnitOfWork, case: Case, change: Change, citizen: str | None) -> str:
        """Asks how the citizen judges ``change``; the token for the answer, the same however often it is asked."""
        return self._judgements.ask(
            work,
            subject=f"case:{folded(case.number)}",
            occasion=change.key,
            title=case.matter_name,
            unit=change.stage.unit or case.department,
            person=change.stage.person,
            citizen=citizen,
        )

    def _values(self, case: Case, change: Change, now: datetime) -> dict[str, str]:
        found = progress(case, now, self._calendar)
        today = now.date()
        pause = open_pause(case, now) if change.kind == "correction" else None
        due = found.clock.due
        return {
            "number": case.number,
            "matter": _short(case.matter_name),
            "stage": change.stage.stage,
            "unit": _short(change.stage.unit or case.department),
            "time": self._phrases.day(change.at.date(), today),
            "due": self._phrases.day(due, today) if due is not None and due >= today else "",
            "note": _short(pause.note or "") if pause else "",
            "until": self._phrases.day(pause.due.date(), today) if pause and pause.due else "",
            "outcome": case.outcome or "已作出决定",
            "delivery": _short(case.delivery or ""),
            "tracking": _short(case.tracking or ""),
        }


def refusal(row: CaseRow, columns: Columns, source: str) -> tuple[str, str] | None:
    """Why ``columns`` from ``source`` may not take the place of ``row``: code and sentence; None where they may."""
    if row.source != source:
        return "case_of_other_source", f"办件 {row.number} 由来源“{row.source}”提供，不接受来源“{source}”的改动"
    older = columns.values["source_updated_at"]
    if older is not None and row.source_updated_at is not None and older < row.source_updated_at:
        return "case_older", f"办件 {row.number} 已有更新时间较晚的内容（{row.source_updated_at:%Y-%m-%d %H:%M:%S}）"
    return None


_REMEDIES = {
    "case_of_other_source": "同一个编号只能有一个来源：请核对编号，或在原来源里改。",
    "case_older": "请发送最新的内容；更新时间 updated_at 应随每次改动变大。",
}


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
