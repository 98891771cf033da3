"""Use cases of attachments: keeping a picture or a place once, finding what belongs to a conversation."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from bot.attachments import repository
from bot.attachments.model import LONGEST_LABEL, MOST_OF_A_CONVERSATION, Attachment, checked_place, cleaned
from bot.attachments.tables import AttachmentRow
from bot.clock import Clock
from bot.errors import Conflict, NotFound
from bot.store import Store, UnitOfWork, audit
from bot.store.faults import explaining

ADOPTED = timedelta(hours=1)
"""An attachment sent before the first word belongs to the conversation that begins so soon after it."""


LOOKED_AT = "attachment.read"
ONE_LOOK = timedelta(minutes=10)

FOLDER = "attachments"
"""Where the pictures lie, under the home."""


class AttachmentService:
    """Attachments in the store, their pictures under ``folder`` (outside of anything that is served)."""

    def __init__(self, store: Store, clock: Clock, folder: Path) -> None:
        self._store = store
        self._clock = clock
        self._folder = folder

    def add_picture(self, source: str, citizen: str, conversation_id: str | None, content: bytes) -> Attachment:
        """Keeps the picture; the same ``source`` again gives the attachment already kept.

        Raises InvalidInput, TooLarge, Conflict (too many in the conversation), StorageFull.
        """
        picture = cleaned(content)
        row = self._row("picture", source, citizen, conversation_id)
        row.media_type, row.size = picture.media_type, len(picture.content)
        row.width, row.height = picture.width, picture.height
        row.digest = hashlib.sha256(picture.content).hexdigest()
        self._write(row.id, picture.content)
        kept = self._kept(row)
        if kept.id != row.id:
            self._file(row.id).unlink()
        return kept

    def add_place(
        self, source: str, citizen: str, conversation_id: str | None, latitude: str, longitude: str, label: str
    ) -> Attachment:
        """Keeps the place, degrees as texts. Raises InvalidInput, Conflict."""
        row = self._row("place", source, citizen, conversation_id)
        row.latitude, row.longitude = checked_place(latitude, longitude)
        row.label = label.strip()[:LONGEST_LABEL] or None
        return self._kept(row)

    def kept(self, source: str) -> Attachment | None:
        """What was kept from this source."""
        with self._store.read() as session:
            row = repository.of_source(session, source)
            return _attachment(row) if row is not None else None

    @staticmethod
    def check(content: bytes) -> None:
        """Raises what :meth:`add_picture` would raise for such a picture."""
        cleaned(content)

    @staticmethod
    def new_source() -> str:
        """The source of something that comes without a name of its own."""
        return f"unnamed:{secrets.token_hex(16)}"

    def adopt(self, citizen: str, conversation_id: str) -> None:
        """The citizen's conversation has begun: what he sent just before belongs to it."""
        with self._store.write() as work:
            repository.adopt(work.session, citizen, conversation_id, self._clock.now() - ADOPTED)

    def of_conversation(self, conversation_id: str) -> list[Attachment]:
        """What belongs to the conversation, oldest first."""
        with self._store.read() as session:
            return [_attachment(row) for row in repository.of_conversation(session, conversation_id)]

    def count(self, citizen: str, conversation_id: str | None) -> int:
        """How many the conversation (or, before it begins, the citizen) has."""
        with self._store.read() as session:
            return repository.count(session, citizen, conversation_id, self._clock.now() - ADOPTED)

    def found(self, ids: Sequence[str]) -> list[Attachment]:
        """Those of ``ids`` that there are, in their order."""
        with self._store.read() as session:
            rows = [repository.get(session, each) for each in ids]
            return [_attachment(row) for row in rows if row is not None]

    def content(self, attachment_id: str) -> tuple[Attachment, bytes]:
        """A picture and its bytes. Raises NotFound."""
        with self._store.read() as session:
            row = repository.get(session, attachment_id)
            attachment = _attachment(row) if row is not None else None
        file = self._file(attachment_id)
        if attachment is None or attachment.kind != "picture" or not file.is_file():
            raise NotFound("没有这个附件。", code="attachment_not_found", remedy="请核对编号。")
        return attachment, file.read_bytes()

    def shown_to(self, attachment_id: str, actor: str, where: str) -> tuple[Attachment, bytes]:
        """A picture and its bytes for one of the staff, who may see it ``where``: on record. Raises NotFound.

        A page that is drawn anew within :data:`ONE_LOOK` asks again for its pictures; that is the same look.
        """
        found = self.content(attachment_id)
        since, subject = self._clock.now() - ONE_LOOK, f"attachment:{attachment_id}"
        with self._store.read() as session:
            known = audit.entries(session, audit.Wanted(actor, LOOKED_AT, subject, since), 1)
        if not known:
            with self._store.write() as work:
                work.audit(actor, LOOKED_AT, subject, {"where": where})
        return found

    def remove(self, ids: Sequence[str]) -> None:
        """Removes attachments, their files first: what has no row can no longer be found and removed."""
        for each in ids:
            self._file(each).unlink(missing_ok=True)
        with self._store.write() as work:
            repository.remove(work.session, ids)

    def _kept(self, row: AttachmentRow) -> Attachment:
        """Stores the row; where its source was kept before, that one. The file of a row that is refused goes."""
        try:
            with self._store.write() as work:
                return _attachment(self._stored(work, row))
        except BaseException:
            self._file(row.id).unlink(missing_ok=True)
            raise

    def _stored(self, work: UnitOfWork, row: AttachmentRow) -> AttachmentRow:
        earlier = repository.of_source(work.session, row.source)
        if earlier is not None:
            return earlier
        since: datetime = self._clock.now() - ADOPTED
        if repository.count(work.session, row.citizen, row.conversation_id, since) >= MOST_OF_A_CONVERSATION:
            raise Conflict(
                f"这次对话里的附件已经有 {MOST_OF_A_CONVERSATION} 个，不能再加了。",
                code="too_many_attachments",
                remedy="请用文字说明其余的情况。",
            )
        work.session.add(row)
        work.audit("citizen", "attachment.add", row.id, {"kind": row.kind, "conversation": row.conversation_id})
        return row

    def _row(self, kind: str, source: str, citizen: str, conversation_id: str | None) -> AttachmentRow:
        return AttachmentRow(
            id=secrets.token_hex(16),
            source=source,
            citizen=citizen,
            conversation_id=conversation_id,
            kind=kind,
            created_at=self._clock.now(),
        )

    def _write(self, attachment_id: str, content: bytes) -> None:
        file = self._file(attachment_id)
        with explaining():
            file.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
                written.write(content)

    def _file(self, attachment_id: str) -> Path:
        if len(attachment_id) != 32 or not attachment_id.isalnum():
            raise NotFound("没有这个附件。", code="attachment_not_found", remedy="请核对编号。")
        return self._folder / attachment_id[:2] / f"{attachment_id}.jpg"


def _attachment(row: AttachmentRow) -> Attachment:
    return Attachment(
        id=row.id,
        kind="picture" if row.kind == "picture" else "place",
        created_at=row.created_at,
        conversation_id=row.conversation_id,
        media_type=row.media_type,
        size=row.size,
        width=row.width,
        height=row.height,
        latitude=row.latitude,
        longitude=row.longitude,
        label=row.label,
    )
