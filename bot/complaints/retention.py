"""What is left of a complaint once its time of keeping is over: that it was, what kind, where it went and when.

Texts, contact, code, pictures and who filed it go; the figures of the board stay true.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, update

from bot.attachments.service import AttachmentService
from bot.clock import Clock
from bot.complaints import repository
from bot.complaints.tables import ComplaintEventRow, ComplaintJoinerRow
from bot.store import Store

CLEARED = "（已按保存期限清除）"
BATCH = 200


class ComplaintRetention:
    """Clears complaints closed longer ago than they are kept. Run by the worker."""

    def __init__(self, store: Store, clock: Clock, attachments: AttachmentService, days: int) -> None:
        """``days`` 0: kept for ever."""
        self._store = store
        self._clock = clock
        self._attachments = attachments
        self._kept = timedelta(days=days)

    def tidy(self) -> int:
        """How many complaints were cleared."""
        cleared = 0
        while self._kept:
            with self._store.write() as work:
                rows = repository.closed_before(work.session, self._clock.now() - self._kept, CLEARED, BATCH)
                if not rows:
                    break
                ids = [row.id for row in rows]
                pictures = [each for row in rows for each in row.attachments]
                for joiner in repository.joiners_of(work.session, ids):
                    pictures.extend(joiner.attachments)
                for row in rows:
                    row.text, row.answer, row.happened, row.wish, row.location = CLEARED, None, None, None, None
                    row.sealed, row.code_index = b"", "0" * 64  # no code opens it any more
                    row.citizen, row.conversation_id, row.case_number, row.attachments = None, None, None, []
                    row.encoder, row.vector = "", b""  # nor is it found as the same incident
                events = ComplaintEventRow.complaint_id.in_(ids)
                work.session.execute(update(ComplaintEventRow).where(events).values(note=None))
                work.session.execute(delete(ComplaintJoinerRow).where(ComplaintJoinerRow.complaint_id.in_(ids)))
                work.audit("system", "complaints.retention", "complaints", {"cleared": len(ids)})
            self._attachments.remove(pictures)
            cleared += len(ids)
        return cleared
