"""Whom a change of a complaint concerns, and what each is told: whoever filed, who joined, and those merged with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from bot.answers.phrases import Phrases
from bot.clock import ZONE, Clock
from bot.complaints import numbers, repository
from bot.complaints.model import Act, State
from bot.complaints.tables import ComplaintRow
from bot.complaints.writing import ComplaintWriter
from bot.judgements.service import JudgementService
from bot.masking import masked
from bot.notifications.model import Address, Notice
from bot.notifications.service import NotificationService
from bot.settings import Settings
from bot.store import UnitOfWork

_LONGEST_VALUE = 300
_MOBILE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})")
_TOLD = {
    Act.RETURN: "complaint.returned",
    Act.ANSWER: "complaint.answered",
    Act.CLOSE: "complaint.closed",
    Act.GRANT_EXTENSION: "complaint.extended",
    Act.MERGE: "complaint.merged",
    "file": "complaint.filed",
}


@dataclass(frozen=True, slots=True)
class _Recipient:
    """Somebody to tell. ``part``: parts his notices from those of others about the same change."""

    part: str
    number: str
    code: str
    citizen: str | None
    phone: str | None
    conversations: tuple[str, ...]


class ComplaintNotices:
    """Writes notices down within the transaction of what happened; they are sent after it, none at night but urgent."""

    def __init__(
        self,
        writer: ComplaintWriter,
        notifications: NotificationService,
        judgements: JudgementService,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._writer = writer
        self._notifications = notifications
        self._judgements = judgements
        self._clock = clock
        self._phrases = Phrases(settings.city_name, settings.hotline)
        self._base = settings.links

    def tell(self, work: UnitOfWork, row: ComplaintRow, act: str, before: State) -> None:
        """Tells everybody whom ``act`` concerns, once. Acts that nobody waits for are not told."""
        template = _TOLD.get(act)
        if act == Act.DISPATCH:
            template = "complaint.dispatched" if before is State.FILED else "complaint.redispatched"
        if template is None:
            return
        for to in self._recipients(work, row, act):
            judge = self._asked(work, row, to) if act == Act.ANSWER else ""
            self._tell_one(work, row, act, template, to, judge)

    def _tell_one(
        self, work: UnitOfWork, row: ComplaintRow, act: str, template: str, to: _Recipient, judge: str
    ) -> None:
        values = self._values(work, row, to) | {"judge": judge}
        key = f"{row.number}:{act}:{row.version}:{to.part}"
        subject = f"complaint:{to.number}"
        addresses: list[Address] = []
        if to.citizen:
            channel, _, address = to.citizen.partition(":")
            addresses.append((channel, address))
        if to.phone:
            addresses.append(("sms", to.phone))
        self._notifications.tell(work, Notice(key, subject, template, values, tuple(addresses), urgent=row.urgent))
        for conversation in to.conversations:
            page: tuple[Address, ...] = (("web", conversation),)
            notice = Notice(f"{key}:web:{conversation[:12]}", subject, template, values, page, urgent=row.urgent)
            self._notifications.tell(work, notice)

    def _recipients(self, work: UnitOfWork, row: ComplaintRow, act: str) -> Iterator[_Recipient]:
        if act == "file":
            # Whoever filed in a conversation has read it there; a phone left elsewhere gets number and code.
            parts = self._writer.open(row)
            if row.conversation_id is None and row.citizen is None:
                yield _Recipient("filer", row.number, parts["code"], None, mobile(parts["contact"]), ())
            return
        together = [row] if act == Act.MERGE else repository.handled_together(work.session, row)
        for each in together:
            parts = self._writer.open(each)
            pages = repository.linked_conversations(work.session, each.id, None)
            yield _Recipient(
                f"{each.id}", each.number, parts["code"], each.citizen, mobile(parts["contact"]), tuple(pages)
            )
            for joiner in repository.joiners(work.session, each.id):
                own = self._writer.open_joiner(each, joiner)
                pages = repository.linked_conversations(work.session, each.id, joiner.id)
                yield _Recipient(
                    f"{each.id}:{joiner.id}",
                    each.number,
                    own["code"],
                    joiner.citizen,
                    mobile(own["contact"]),
                    tuple(pages),
                )

    def _asked(self, work: UnitOfWork, row: ComplaintRow, to: _Recipient) -> str:
        """The link to judge the answer by; credited to the unit and the person that gave it."""
        token = self._judgements.ask(
            work,
            subject=judged(row.number if to.part == f"{row.id}" else f"{row.number}:{to.part}"),
            occasion=f"answer:{row.version}",
            title=f"诉求 {numbers.aloud(row.number)}",
            unit=row.department or "",
            person=row.handler,
            citizen=to.citizen,
        )
        return f"{self._base}/judge/{token}"

    def _values(self, work: UnitOfWork, row: ComplaintRow, to: _Recipient) -> dict[str, str]:
        today = self._clock.now().date()
        root = repository.root(work.session, row)
        due = row.due_at.astimezone(ZONE)
        answer = row.answer or ""
        return {
            "number": numbers.aloud(to.number),
            "code": to.code,
            "category": row.category.rpartition("/")[2],
            "unit": (row.department or "")[:_LONGEST_VALUE],
            "due": self._phrases.day(due.date(), today),
            "time": f"{due:%H:%M}" if row.urgent else "",
            "answer": _short(answer if to.part == f"{row.id}" else masked(answer)),
            "into": numbers.aloud(root.number) if root.id != row.id else "",
            "link": f"{self._base}/complaints/{to.number}",
        }


def judged(number: str) -> str:
    """What a judgement of a complaint's answer is about."""
    return f"complaint:{number}"


def mobile(contact: str | None) -> str | None:
    """The mobile phone in what a citizen left as his contact."""
    plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", contact or ""))
    found = _MOBILE.search(plain)
    return found.group(1) if found else None


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
