"""The editors' draft: changes are collected, evaluated, and published together. Nothing goes live unseen.

There is one open draft, which all editors share. What is published is exactly what was evaluated: the same changes on
the same version of the catalogue, by their hash; and it is published once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.clock import Clock
from bot.errors import Conflict, InvalidInput, NotFound
from bot.learning import repository
from bot.learning.model import (
    LONGEST_FAQ_ANSWER,
    MOST_CHANGES,
    MOST_EXAMPLES,
    Act,
    Change,
    Stage,
    checked_prose,
    checked_question,
    content_digest,
)
from bot.learning.regressions import keep_regressions
from bot.learning.review import decide, locked_group
from bot.learning.tables import ChangeRow, DraftRow, EvaluationRow
from bot.matters.additions import Addition, AdditionKind, contradicts, held
from bot.matters.amending import Amendment
from bot.matters.service import MatterService
from bot.matters.tables import CatalogueVersion
from bot.people.model import Account
from bot.store import Store, UnitOfWork
from index.normal import bare


@dataclass(frozen=True, slots=True)
class Asked:
    """A change as the editor asks for it. ``group``: its number and version, where it comes of one."""

    act: Act
    code: str
    text: str
    answer: str = ""
    examples: Sequence[str] = ()
    group: tuple[int, int] | None = None
    kind: AdditionKind | None = None
    """What is taken back, for a withdrawal."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """An evaluation. ``fresh``: of the draft exactly as it is now; ``result``: see :mod:`bot.learning.evaluating`."""

    id: int
    state: str
    fresh: bool
    asked_by: str
    asked_at: datetime
    done: int
    total: int
    better: int
    worse: int
    unchanged: int
    trouble: str | None
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """The open draft. ``digest``: its content on the catalogue's present version; empty where there is nothing."""

    changes: Sequence[Change]
    digest: str
    evaluation: Evaluated | None

    @property
    def may_be_published(self) -> bool:
        """Whether exactly this was evaluated."""
        return self.evaluation is not None and self.evaluation.fresh and self.evaluation.state == "done"


class Drafting:
    """Use cases of the draft. Safe to use from several threads."""

    def __init__(self, store: Store, clock: Clock, matters: MatterService) -> None:
        self._store = store
        self._clock = clock
        self._matters = matters

    def current(self) -> Draft:
        """The draft as it is now."""
        base = self._matters.current_version() or ""
        with self._store.read() as session:
            row = repository.open_draft(session)
            changes = changes_of(session, row.id) if row else []
            evaluation = repository.latest_evaluation(session, row.id) if row else None
        digest = content_digest(base, changes) if changes else ""
        return Draft(changes, digest, _evaluated(evaluation, digest) if evaluation else None)

    def add(self, asked: Asked, editor: Account) -> None:
        """Adds a change to the draft. Raises InvalidInput (nothing to change, contradictory, personal data), NotFound
        (no such guide or addition), Conflict (somebody else decided on the group)."""
        change = self._checked(asked)
        now = self._clock.now()
        with self._store.write() as work:
            draft = repository.begin_draft(work.session, now)
            self._check_beside(change, changes_of(work.session, draft.id))
            if asked.group is not None:
                group = locked_group(work.session, *asked.group)
                decide(group, Stage.DRAFTED, editor.username, now)
                group.reason = None
            row = ChangeRow(
                draft_id=draft.id,
                group_id=asked.group[0] if asked.group else None,
                act=asked.act.value,
                kind=change.kind.value,
                code=change.code,
                text=change.text,
                answer=change.answer,
                examples=list(_examples(asked, change.text)),
                by=editor.username,
                at=now,
            )
            work.session.add(row)
            draft.version += 1
            details = {"act": asked.act, "kind": change.kind, "text": change.text}
            work.audit(editor.username, "learn.change", f"matter:{change.code}", details)

    def remove(self, change_id: int, editor: Account) -> None:
        """Takes a change out of the draft; its group is open again where nothing else of the draft comes of it."""
        now = self._clock.now()
        with self._store.write() as work:
            draft = repository.open_draft(work.session, lock=True)
            rows = {row.id: row for row in repository.changes(work.session, draft.id)} if draft else {}
            row = rows.get(change_id)
            if draft is None or row is None:
                raise _gone()
            work.session.delete(row)
            draft.version += 1
            others = {each.group_id for each in rows.values() if each.id != change_id}
            if row.group_id is not None and row.group_id not in others:
                group = repository.locked_group(work.session, row.group_id)
                if group is not None:
                    decide(group, Stage.OPEN, editor.username, now)
            work.audit(editor.username, "learn.remove", f"matter:{row.code}", {"act": row.act, "text": row.text})

    def evaluate(self, editor: Account) -> None:
        """Asks for an evaluation of the draft as it is now; one that is under way for the same is left to go on.

        Raises InvalidInput where the draft is empty.
        """
        now = self._clock.now()
        base = self._matters.current_version() or ""
        with self._store.write() as work:
            draft = repository.open_draft(work.session, lock=True)
            changes = changes_of(work.session, draft.id) if draft else []
            if draft is None or not changes:
                raise _empty()
            digest = content_digest(base, changes)
            latest = repository.latest_evaluation(work.session, draft.id)
            if latest is not None and latest.digest == digest and latest.state != "failed":
                return
            if latest is not None and latest.state in ("queued", "running"):
                latest.state, latest.ended_at, latest.trouble = "failed", now, "草稿又改了，这次评测不再有用。"
            asked: dict[str, Any] = {"asked_by": editor.username, "asked_at": now, "result": {}}
            work.session.add(EvaluationRow(draft_id=draft.id, digest=digest, base=base, state="queued", **asked))
            work.audit(editor.username, "learn.evaluate", f"draft:{draft.id}", {"digest": digest[:12], "base": base})

    def publish(self, seen: str, editor: Account, *, worse: int = 0) -> str:
        """Publishes the draft whose content is ``seen``, its hash as the editor saw it; the catalogue's new version.

        ``worse``: how many questions that get worse the editor puts up with. Raises Conflict where there are more,
        where it was not evaluated exactly so, changed meanwhile, or somebody else published it; then
        nothing is changed.
        """
        draft = self.current()
        if not draft.changes or draft.digest != seen:
            raise _moved_on()
        if not draft.may_be_published:
            raise Conflict(
                "这份草稿还没有评测过，不能发布。", code="not_evaluated", remedy="先点“评测”，看过结果再发布。"
            )
        if draft.evaluation is not None and draft.evaluation.worse > worse:
            raise Conflict(
                f"有 {draft.evaluation.worse} 题会变差，没有发布。",
                code="worse_unseen",
                remedy="请逐题看过；确认可以接受的，勾上再发布。",
            )
        base = self._matters.current_version() or ""

        def close(work: UnitOfWork, version: CatalogueVersion) -> None:
            self._close(work, version.label, base, seen, editor)

        return self._matters.amending.publish(
            amendment_of(base, draft.changes),
            source="learn",
            actor=editor.username,
            progress=lambda *_: None,
            beside=close,
        )

    def published(self, most: int = 10) -> Sequence[DraftRow]:
        """What was published before, the latest first."""
        with self._store.read() as session:
            return repository.published_drafts(session, most)

    # -- inside one transaction ----------------------------------------------------------------------------------------

    def _close(self, work: UnitOfWork, label: str, base: str, seen: str, editor: Account) -> None:
        """The draft becomes the version ``label``, if it is still what was seen and evaluated."""
        now = self._clock.now()
        draft = repository.open_draft(work.session, lock=True)
        changes = changes_of(work.session, draft.id) if draft else []
        if draft is None or content_digest(base, changes) != seen:
            raise _moved_on()
        evaluation = repository.latest_evaluation(work.session, draft.id)
        if evaluation is None or evaluation.digest != seen or evaluation.state != "done":
            raise _moved_on()
        draft.state, draft.closed_at, draft.closed_by, draft.published = "published", now, editor.username, label
        groups = {each.group_id for each in changes if each.group_id is not None}
        for group in repository.locked_groups(work.session, groups).values():
            decide(group, Stage.DONE, editor.username, now)
        keep_regressions(work.session, changes, label, editor.username, now)
        counts = {"better": evaluation.better, "worse": evaluation.worse, "unchanged": evaluation.unchanged}
        details = {"version": label, "changes": len(changes), "digest": seen[:12], **counts}
        work.audit(editor.username, "learn.publish", f"draft:{draft.id}", details)

    # -- rules over what is there --------------------------------------------------------------------------------------

    def _checked(self, asked: Asked) -> Addition:
        """The addition that is made or taken back. Raises InvalidInput, NotFound."""
        published = self._matters.get_any(asked.code)
        if published is None:
            raise NotFound("没有这个事项。", code="guide_not_found", remedy="请在查找结果里选一个事项。")
        if asked.act is Act.WITHDRAW:
            found = [
                each
                for each in self._matters.additions(asked.code)
                if (each.kind, each.text) == (asked.kind, asked.text)
            ]
            if not found:
                raise NotFound("没有这条补充。", code="addition_not_found", remedy="它可能已经撤下了，请刷新。")
            return found[0]
        answer = checked_prose(asked.answer, LONGEST_FAQ_ANSWER, "解答") if asked.act is Act.FAQ else None
        addition = Addition(asked.code, AdditionKind(asked.act.value), checked_question(asked.text, "问法"), answer)
        if held(published.guide, addition):
            raise InvalidInput("指南里已经有这一句了。", code="already_there", remedy="换一种说法，或者选别的处理。")
        if contradicts(published.guide, addition):
            raise InvalidInput(
                "这一句和指南里的另一处相反：同一句既能找到这个事项，又说不归它。",
                code="contradictory",
                remedy="请先撤下相反的那一条。",
            )
        return addition

    @staticmethod
    def _check_beside(change: Addition, others: Sequence[Change]) -> None:
        """Raises InvalidInput where the draft holds the same already, or the opposite, or too much."""
        if len(others) >= MOST_CHANGES:
            raise InvalidInput(
                f"草稿里已有 {MOST_CHANGES} 处改动。", code="draft_full", remedy="请先评测、发布，再开始新的草稿。"
            )
        for other in others:
            if other.code == change.code and bare(other.text) == bare(change.text):
                raise InvalidInput(
                    "草稿里这个事项已经有这一句的改动了。", code="already_there", remedy="要改的话，先从草稿里去掉它。"
                )


def changes_of(session: Session, draft_id: int) -> list[Change]:
    """The changes of a draft as values."""
    return [
        Change(
            row.id,
            Act(row.act),
            AdditionKind(row.kind),
            row.code,
            row.text,
            row.answer,
            tuple(row.examples),
            row.group_id,
            row.by,
            row.at,
        )
        for row in repository.changes(session, draft_id)
    ]


def amendment_of(base: str, changes: Sequence[Change]) -> Amendment:
    """What ``changes`` do to the guides of the version ``base``."""
    added = [each.addition for each in changes if each.act is not Act.WITHDRAW]
    withdrawn = [each.addition for each in changes if each.act is Act.WITHDRAW]
    return Amendment(base, added, withdrawn)


def _examples(asked: Asked, text: str) -> list[str]:
    if asked.act is Act.WITHDRAW:
        return []
    given = [checked_question(each, "市民的问法") for each in asked.examples if each.strip()]
    return [each for each in dict.fromkeys(given) if each != text][:MOST_EXAMPLES]


def _evaluated(row: EvaluationRow, digest: str) -> Evaluated:
    return Evaluated(
        id=row.id,
        state=row.state,
        fresh=row.digest == digest,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        done=row.done,
        total=row.total,
        better=row.better,
        worse=row.worse,
        unchanged=row.unchanged,
        trouble=row.trouble,
        result=row.result,
    )


def _gone() -> NotFound:
    return NotFound("草稿里没有这处改动了。", code="change_not_found", remedy="请刷新草稿再看。")


def _empty() -> InvalidInput:
    return InvalidInput("草稿是空的。", code="draft_empty", remedy="先从列表里选一组问题，加一处改动。")


def _moved_on() -> Conflict:
    return Conflict(
        "草稿或目录在您看过之后变了，没有发布。", code="draft_moved_on", remedy="请看一下现在的草稿，重新评测再发布。"
    )
