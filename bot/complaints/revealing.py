"""Showing what a complaint says in full: an act of whoever handles it, with a reason, and on record."""

from __future__ import annotations

from dataclasses import dataclass

from bot.complaints import repository
from bot.complaints.model import Actor, Party
from bot.complaints.numbers import folded_number
from bot.complaints.writing import ComplaintWriter
from bot.errors import Conflict, Forbidden, InvalidInput, NotFound
from bot.store import Store

SHORTEST_REASON = 2
LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Revealed:
    """The text as it was written, and how its author is reached; None where he said nothing or is anonymous."""

    text: str
    contact: str | None


class Revealing:
    """Opens what is sealed. Safe to use from several threads."""

    def __init__(self, store: Store, writer: ComplaintWriter) -> None:
        self._store = store
        self._writer = writer

    def reveal(self, number: str, actor: Actor, reason: str) -> Revealed:
        """Text and contact in clear. Raises NotFound (also for another unit's), Forbidden, InvalidInput, Conflict.

        A unit sees only what it holds; citizens have their code. The reason goes into the audit trail.
        """
        reason = reason.strip()
        if actor.party not in {Party.UNIT, Party.OPERATOR, Party.SUPERVISOR}:
            raise Forbidden("您不能查看原文。", code="reveal_forbidden", remedy="请联系承办单位或坐席。")
        if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
            raise InvalidInput(
                "请写明为什么要看原文。",
                code="reveal_reason",
                remedy=f"{SHORTEST_REASON} 到 {LONGEST_REASON} 个字，例如“回访”“核实地址”；会记入审计。",
            )
        with self._store.write() as work:
            row = repository.by_number(work.session, folded_number(number))
            if row is None or (actor.party is Party.UNIT and row.department != actor.department):
                raise NotFound("没有这件诉求。", code="complaint_unknown", remedy="请检查编号。")
            if not row.sealed:
                raise Conflict("原文已按保存期限清除。", code="complaint_cleared", remedy="统计所需的信息仍在。")
            parts = self._writer.open(row)
            details = {"reason": reason, "contact": bool(parts.get("contact"))}
            work.audit(actor.name, "complaint.reveal", f"complaint:{row.number}", details)
            return Revealed(parts["text"], parts.get("contact") or None)
