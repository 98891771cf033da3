"""Asking for a judgement, and taking the answer: once, with one change, from a link or from a conversation."""

from __future__ import annotations

from bot.clock import Clock
from bot.errors import Conflict, InvalidInput, NotFound
from bot.judgements import repository
from bot.judgements.model import ANSWERABLE_FOR, LEVELS, LONGEST_COMMENT, POOR, REPLIED_WITHIN, Judgement
from bot.judgements.tables import JudgementRow
from bot.store import Store, UnitOfWork
from bot.store.inserting import insert_new
from bot.store.sealed import Sealer

POOR_TOPIC = "judgement.poor"
"""Emitted with every answer of 不满意 and 非常不满意, for the rectification that must follow."""

_PURPOSE = "judge"


class JudgementService:
    """Judgements in the store. Safe to use from several threads."""

    def __init__(self, store: Store, clock: Clock, sealer: Sealer) -> None:
        self._store = store
        self._clock = clock
        self._sealer = sealer

    def ask(
        self,
        work: UnitOfWork,
        *,
        subject: str,
        occasion: str,
        title: str,
        unit: str,
        person: str | None,
        citizen: str | None,
    ) -> str:
        """Asks once for ``subject`` at ``occasion`` within the caller's transaction; the token for the answer.

        ``unit`` and ``person`` did the work that is judged, as of now: later reassignments change nothing.
        """
        values = {
            "subject": subject,
            "occasion": occasion,
            "title": title,
            "unit": unit,
            "person": person,
            "citizen": citizen,
            "asked_at": self._clock.now(),
        }
        insert_new(work.session, JudgementRow, values)
        row = repository.by_occasion(work.session, subject, occasion)
        if row is None:
            raise AssertionError("a judgement that was just asked for is there")
        return self._sealer.signed(_PURPOSE, str(row.id))

    def read(self, token: str) -> Judgement:
        """The question of a token, with its answer. Raises NotFound."""
        with self._store.read() as session:
            row = repository.by_id(session, self._id(token))
            if row is None:
                raise _unknown()
            return self._judgement(row)

    def answer(self, token: str, level: int, *, comment: str = "", channel: str) -> Judgement:
        """Takes the answer of whoever holds the token.

        The first counts at once; it may be changed once. Raises NotFound, InvalidInput, Conflict (changed already, or
        too late).
        """
        return self._answer(self._id(token), level, comment, channel)

    def awaited_of(self, citizen: str) -> Judgement | None:
        """The question asked last of ``citizen``, while a bare digit is taken for its answer."""
        with self._store.read() as session:
            row = repository.latest_unanswered(session, citizen, self._clock.now() - REPLIED_WITHIN)
            return self._judgement(row) if row else None

    def answer_awaited(self, citizen: str, judgement: Judgement, level: int, *, channel: str) -> Judgement:
        """Takes the answer to what :meth:`awaited_of` gave. Raises as :meth:`answer`."""
        awaited = self.awaited_of(citizen)
        if awaited is None or awaited.id != judgement.id:
            raise _unknown()
        return self._answer(judgement.id, level, "", channel)

    def latest_token(self, subject: str) -> str | None:
        """The token of the question asked last about ``subject`` that still takes an answer."""
        with self._store.read() as session:
            row = repository.latest_of(session, subject)
            if row is None or not self._judgement(row).may_answer(self._clock.now()):
                return None
            return self._sealer.signed(_PURPOSE, str(row.id))

    def _answer(self, judgement_id: int, level: int, comment: str, channel: str) -> Judgement:
        comment = comment.strip()
        if level not in LEVELS or len(comment) > LONGEST_COMMENT:
            raise InvalidInput(
                "评价不对。", code="judgement_invalid", remedy=f"请选 1 到 5，补充说明不超过 {LONGEST_COMMENT} 个字。"
            )
        now = self._clock.now()
        with self._store.write() as work:
            row = repository.by_id(work.session, judgement_id, lock=True)
            if row is None:
                raise _unknown()
            if now >= row.asked_at + ANSWERABLE_FOR:
                raise Conflict(
                    "这次评价已经超过期限。",
                    code="judgement_late",
                    remedy=f"发出后 {ANSWERABLE_FOR.days} 天内可以评价；有意见可以拨打政务服务热线。",
                )
            if level == row.level and not comment:
                return self._judgement(row)
            if row.changed_at is not None:
                raise Conflict("评价已经改过一次，不能再改。", code="judgement_changed", remedy="")
            if row.level is None:
                row.answered_at = now
            else:
                row.first_level, row.changed_at = row.level, now
            row.level, row.channel = level, channel
            if comment:
                row.comment = self._sealer.seal(comment, f"judgements:{row.id}")
            details = {"level": level, "unit": row.unit, "person": row.person, "channel": channel}
            work.audit("citizen", "judgement.change" if row.first_level else "judgement.give", row.subject, details)
            if level <= POOR:
                work.emit(POOR_TOPIC, row.subject, {"judgement": row.id, "level": level, "unit": row.unit})
            return self._judgement(row)

    def _id(self, token: str) -> int:
        text = self._sealer.signed_text(_PURPOSE, token)
        if text is None or not text.isdecimal():
            raise _unknown()
        return int(text)

    def _judgement(self, row: JudgementRow) -> Judgement:
        return Judgement(
            id=row.id,
            subject=row.subject,
            occasion=row.occasion,
            title=row.title,
            unit=row.unit,
            person=row.person,
            asked_at=row.asked_at,
            level=row.level,
            answered_at=row.answered_at,
            changed=row.changed_at is not None,
            comment=self._sealer.open(row.comment, f"judgements:{row.id}") if row.comment else None,
        )


def _unknown() -> NotFound:
    return NotFound("没有这次评价。", code="judgement_not_found", remedy="请检查链接是否完整。")
