"""The review list as editors see it, and what they decide without changing a guide: dismiss, or look again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.clock import Clock
from bot.errors import Conflict, InvalidInput, NotFound
from bot.learning import repository
from bot.learning.model import CAUSE_NAMES, LONGEST_REASON, Cause, Missed, Stage, checked_line, wordings
from bot.learning.repository import Wanted
from bot.learning.tables import GroupRow, QuestionRow
from bot.people.model import Account
from bot.store import Store

PAGE = 20
SHOWN_IN_LIST, SHOWN = 3, 50
"""Questions of a group in the list, and on its own page."""
MOST_PAGES = 500


@dataclass(frozen=True, slots=True)
class Shown:
    """A group. ``questions``: the latest ones; ``suggested``: the matters that may be meant, likeliest first."""

    id: int
    version: int
    stage: Stage
    title: str
    size: int
    first_at: datetime
    last_at: datetime
    causes: Mapping[str, int]
    questions: Sequence[Missed]
    reason: str | None
    decided_by: str | None

    @property
    def wordings(self) -> list[str]:
        """Different wordings of its questions."""
        return wordings([each.text for each in self.questions])

    @property
    def suggested(self) -> list[tuple[str, str]]:
        """Codes and names of the matters that its questions ended at or were near to."""
        names: dict[str, str] = {}
        votes: dict[str, float] = {}
        for each in self.questions:
            for place, (code, name) in enumerate(each.candidates):
                names[code] = name
                if each.cause is not Cause.CORRECTED or code != each.matter:
                    votes[code] = votes.get(code, 0.0) + 1 / (place + 2)
            if each.then:
                votes[each.then] = votes.get(each.then, 0.0) + 2
                names.setdefault(each.then, each.then)
        return [(code, names[code]) for code in sorted(votes, key=lambda code: -votes[code])][:5]

    @property
    def answers(self) -> list[tuple[str, str]]:
        """What persons said, and who; the latest first, each once."""
        return list(dict.fromkeys((each.answer, each.answered_by) for each in self.questions if each.answer))[:5]


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of the list. ``stages``: how many groups are where."""

    groups: Sequence[Shown]
    total: int
    page: int
    pages: int
    stages: Mapping[str, int]


class Reviewing:
    """Reads the list and decides on groups. Safe to use from several threads."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def page(self, wanted: Wanted) -> Listed:
        """Groups in their order. Raises InvalidInput where the page is out of range."""
        if not 1 <= wanted.page <= MOST_PAGES:
            raise InvalidInput("页码不对。", code="page_invalid", remedy=f"页码从 1 到 {MOST_PAGES}。")
        with self._store.read() as session:
            rows, total = repository.groups(session, wanted, PAGE)
            shown = self._shown(session, rows, SHOWN_IN_LIST)
            return Listed(shown, total, wanted.page, max(1, -(-total // PAGE)), repository.stages(session))

    def group(self, group_id: int) -> Shown:
        """One group with its questions. Raises NotFound."""
        with self._store.read() as session:
            row = repository.group(session, group_id)
            if row is None:
                raise unknown_group()
            return self._shown(session, [row], SHOWN)[0]

    def dismiss(self, group_id: int, version: int, reason: str, editor: Account) -> None:
        """Takes a group off the list, with a reason. Raises InvalidInput, NotFound, Conflict."""
        reason = checked_line(reason, LONGEST_REASON, "理由")
        self._decide(group_id, version, editor, Stage.OPEN, Stage.DISMISSED, reason)

    def reopen(self, group_id: int, version: int, editor: Account) -> None:
        """Puts a dismissed group back on the list. Raises NotFound, Conflict."""
        self._decide(group_id, version, editor, Stage.DISMISSED, Stage.OPEN, None)

    def _decide(
        self, group_id: int, version: int, editor: Account, before: Stage, after: Stage, reason: str | None
    ) -> None:
        with self._store.write() as work:
            row = locked_group(work.session, group_id, version)
            if row.stage != before:
                raise decided_already()
            decide(row, after, editor.username, self._clock.now())
            row.reason = reason
            act = "learn.dismiss" if after is Stage.DISMISSED else "learn.reopen"
            work.audit(editor.username, act, f"learn:{group_id}", {"reason": reason} if reason else {})

    @staticmethod
    def _shown(session: Session, rows: Sequence[GroupRow], each: int) -> list[Shown]:
        ids = [row.id for row in rows]
        questions = repository.latest_questions(session, ids, each)
        causes = repository.causes(session, ids)
        return [_group(row, questions.get(row.id, []), causes.get(row.id, {})) for row in rows]


def _group(row: GroupRow, questions: Sequence[QuestionRow], causes: Mapping[str, int]) -> Shown:
    return Shown(
        id=row.id,
        version=row.version,
        stage=Stage(row.stage),
        title=row.title,
        size=row.size,
        first_at=row.first_at,
        last_at=row.last_at,
        causes={CAUSE_NAMES[Cause(cause)]: number for cause, number in causes.items()},
        questions=[_missed(each) for each in questions],
        reason=row.reason,
        decided_by=row.decided_by,
    )


def _missed(row: QuestionRow) -> Missed:
    return Missed(
        event=row.event,
        at=row.at,
        cause=Cause(row.cause),
        text=row.text,
        said=row.said,
        matter=row.matter,
        confidence=row.confidence,
        candidates=tuple((code, name) for code, name in row.candidates),
        then=row.then,
        answer=row.answer,
        answered_by=row.answered_by,
    )


def locked_group(session: Session, group_id: int, version: int) -> GroupRow:
    """The group, locked, where it is as the editor saw it. Raises NotFound, Conflict."""
    row = repository.locked_group(session, group_id)
    if row is None:
        raise unknown_group()
    if row.version != version:
        raise decided_already()
    return row


def decide(row: GroupRow, stage: Stage, by: str, at: datetime) -> None:
    """Moves a locked group."""
    row.stage, row.decided_by, row.decided_at = stage.value, by, at
    row.version += 1


def unknown_group() -> NotFound:
    return NotFound("没有这一组问题，或者已过保存期。", code="group_not_found", remedy="请回到列表再看。")


def decided_already() -> Conflict:
    return Conflict("这一组问题刚刚由别人处理过。", code="group_moved_on", remedy="请刷新看看现在的状态。")
