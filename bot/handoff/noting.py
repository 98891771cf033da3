"""What operators write down beside the conversation: whispers, tags, what they have read, that they type."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from bot.clock import Clock
from bot.conversations.marks import MarkService
from bot.errors import InvalidInput
from bot.handoff import repository
from bot.handoff.calling import DESK, desk_of
from bot.handoff.model import LONGEST_NOTE, LONGEST_SALUTATION, LONGEST_TAG, MOST_TAGS
from bot.handoff.rights import Rights
from bot.handoff.steps import add_note, checked, gone, unknown
from bot.handoff.tables import HandoffRow
from bot.people.model import Account
from bot.store import Store


class Noting:
    """Every method is one transaction."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        marks: MarkService,
        rights: Rights,
        announce: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._rights = rights
        self._store = store
        self._clock = clock
        self._marks = marks
        self._announce = announce

    def note(self, handoff_id: int, operator: Account, text: str) -> None:
        """A whisper among colleagues; the citizen never sees it. Raises InvalidInput, Forbidden, NotFound."""
        text = checked(text, LONGEST_NOTE, "备注")
        with self._store.write() as work:
            row = repository.by_id(work.session, handoff_id)
            if row is None:
                raise unknown()
            self._rights.checked(work.session, row.conversation_id, operator)
            add_note(work.session, row, operator.display_name, "whisper", text, self._clock.now())
            work.audit(operator.username, "handoff.note", row.conversation_id)
            conversation_id = row.conversation_id
        self._announce(conversation_id)
        self._announce(DESK)

    def tag(self, handoff_id: int, operator: Account, tags: Sequence[str]) -> None:
        """Sets the tags, by which conversations are found again. Raises InvalidInput, Conflict (not his), NotFound."""
        wanted = list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
        if len(wanted) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in wanted):
            raise InvalidInput(
                "标签太多或太长。", code="tags_invalid", remedy=f"最多 {MOST_TAGS} 个，每个最多 {LONGEST_TAG} 个字。"
            )
        with self._store.write() as work:
            row = self._his(work.session, handoff_id, operator)
            row.tags = wanted
            row.version += 1
            work.audit(operator.username, "handoff.tag", row.conversation_id, {"tags": wanted})
        self._announce(DESK)

    def address(self, handoff_id: int, operator: Account, salutation: str) -> None:
        """How the citizen is addressed, for canned replies. Raises InvalidInput, Conflict (not his), NotFound."""
        salutation = " ".join(salutation.split())
        if len(salutation) > LONGEST_SALUTATION:
            raise InvalidInput(
                "称呼太长。", code="salutation_invalid", remedy=f"最多 {LONGEST_SALUTATION} 个字，如“王女士”。"
            )
        with self._store.write() as work:
            row = self._his(work.session, handoff_id, operator)
            row.salutation = salutation
            row.version += 1
            work.audit(operator.username, "handoff.address", row.conversation_id)
        self._announce(desk_of(operator.id))

    def seen(self, handoff_id: int, operator: Account, event: int) -> None:
        """The operator has read up to ``event``; his page knows it already."""
        with self._store.read() as session:
            row = repository.by_id(session, handoff_id)
            if row is None or row.operator_id != operator.id or row.seen_event >= event:
                return
        with self._store.write() as work:
            row = repository.by_id(work.session, handoff_id, lock=True)
            if row is not None and row.operator_id == operator.id:
                row.seen_event = max(row.seen_event, event)

    def types(self, handoff_id: int, operator: Account, *, typing: bool) -> None:
        """The citizen's page shows that the operator types; nothing where the conversation is not his."""
        with self._store.read() as session:
            row = repository.by_id(session, handoff_id)
            mine = row is not None and row.state == "person" and row.operator_id == operator.id
            conversation_id = row.conversation_id if row is not None else ""
        if mine:
            self._marks.by_person(conversation_id, types=typing)

    @staticmethod
    def _his(session: Session, handoff_id: int, operator: Account) -> HandoffRow:
        """The call, locked; what is noted of it may still be noted after its end. Raises NotFound, Conflict."""
        row = repository.by_id(session, handoff_id, lock=True)
        if row is None:
            raise unknown()
        if row.operator_id != operator.id:
            raise gone(session, row)
        return row
