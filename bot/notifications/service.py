"""Telling citizens: written down once in the transaction of what happened, delivered by the worker over the outbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog

from bot.clock import Clock
from bot.notifications import repository, wording
from bot.notifications.model import MOST_DELAYS, STALE_AFTER, TOPIC, Address, Notice, QuietHours
from bot.notifications.ports import Delivery, Later, Messenger, Outgoing, Refused, Sent, Unsure
from bot.notifications.tables import NotificationRow
from bot.settings import Settings
from bot.store import Store, UnitOfWork
from bot.store.inserting import insert_new
from bot.store.sealed import Sealer

log = structlog.get_logger("wenban.notifications")

SHORTEST_DELAY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One channel about to be asked; ``place``: of its address in the notification's list."""

    place: int
    messenger: Messenger
    address: str
    outgoing: Outgoing


class NotificationService:
    """Notifications in the store. ``messengers`` are needed only where they are delivered."""

    def __init__(
        self, store: Store, clock: Clock, sealer: Sealer, settings: Settings, messengers: Sequence[Messenger] = ()
    ) -> None:
        self._store = store
        self._clock = clock
        self._sealer = sealer
        self._always = {"city": settings.city_name, "hotline": settings.hotline}
        self._quiet = QuietHours(settings.quiet_from, settings.quiet_until)
        self._messengers = {messenger.channel: messenger for messenger in messengers}

    def tell(self, work: UnitOfWork, notice: Notice) -> bool:
        """Writes ``notice`` down within the caller's transaction, to be delivered after it.

        False where its key was told before, or there is no address.
        """
        if not notice.addresses:
            return False
        values = {**self._always, **notice.values}
        kept: dict[str, Any] = {
            "addresses": notice.addresses,
            "values": values,
            "text": wording.text(notice.template, values),
        }
        if notice.urgent:
            kept["urgent"] = True
        row = {
            "key": notice.key,
            "subject": notice.subject,
            "template": notice.template,
            "sealed": self._sealer.seal(orjson.dumps(kept).decode(), f"notifications:{notice.key}"),
            "state": "waiting",
            "tries": [],
            "created_at": self._clock.now(),
        }
        if not insert_new(work.session, NotificationRow, row):
            return False
        work.emit(TOPIC, notice.key[:120], {"key": notice.key})
        return True

    async def deliver(self, key: str, now: datetime) -> datetime | None:
        """Delivers the notification by the first of its channels that takes it; the time to try again, or None.

        Before a channel is asked that is written down: should this process die while it is asked, nobody knows whether
        it was sent, and it is not sent a second time.
        """
        morning = self._quiet.end(now)
        if morning is not None and not self._is_urgent(key):
            return morning
        for _ in range(20):  # addresses are few; the bound only keeps a faulty row from going round for ever
            attempt = self._begin(key, now)
            if attempt is None:
                return None
            messenger = attempt.messenger
            try:
                ended: Delivery = await messenger.deliver(attempt.address, attempt.outgoing, now)
            except Exception as error:
                # Whatever a channel trips over, it may have sent before.
                log.exception("messenger_failed", channel=messenger.channel, notification=key)
                ended = Unsure(f"{type(error).__name__}: {error}")
            again = self._end(attempt, ended, now)
            if again is not None:
                return again
        return None

    def undelivered(self, limit: int = 100) -> list[Mapping[str, object]]:
        """What did not certainly arrive, without addresses: for the operator."""
        with self._store.read() as session:
            return [_told(row) for row in repository.undelivered(session, limit)]

    def of_subject(self, subject: str) -> list[Mapping[str, object]]:
        """Everything told about ``subject``, oldest first, without addresses."""
        with self._store.read() as session:
            return [_told(row) for row in repository.of_subject(session, subject)]

    def _is_urgent(self, key: str) -> bool:
        with self._store.read() as session:
            row = repository.by_key(session, key)
            if row is None:
                return False
            kept = orjson.loads(self._sealer.open(row.sealed, f"notifications:{key}"))
            return bool(kept.get("urgent"))

    # -- one attempt, in two transactions --------------------------------------------------------------------------

    def _begin(self, key: str, now: datetime) -> _Attempt | None:
        """Takes the next channel, written down as being asked; None where there is nothing to do."""
        with self._store.write() as work:
            row = repository.by_key(work.session, key, lock=True)
            if row is None or row.state not in ("waiting", "sending"):
                return None
            if row.state == "sending":
                self._close(row, "unsure", now, reason="the worker ended while the channel was asked")
                return None
            kept = orjson.loads(self._sealer.open(row.sealed, f"notifications:{key}"))
            if now - row.created_at > STALE_AFTER:
                self._close(row, "refused", now, reason="not delivered in time")
                return None
            found = self._next(row, [(channel, address) for channel, address in kept["addresses"]])
            if found is None:
                self._close(row, "refused", now, reason=row.reason or "no channel is set up for any of its addresses")
                return None
            place, messenger, address = found
            row.state, row.channel = "sending", messenger.channel
            return _Attempt(place, messenger, address, Outgoing(key, row.template, kept["values"], kept["text"]))

    def _next(self, row: NotificationRow, addresses: Sequence[Address]) -> tuple[int, Messenger, str] | None:
        for place, (channel, address) in enumerate(addresses):
            messenger = self._messengers.get(channel)
            tries = [each for each in row.tries if each["place"] == place]
            refused = any(each["ended"] == "refused" for each in tries)
            if messenger is not None and not refused and len(tries) < MOST_DELAYS:
                return place, messenger, address
        return None

    def _end(self, attempt: _Attempt, ended: Delivery, now: datetime) -> datetime | None:
        with self._store.write() as work:
            row = repository.by_key(work.session, attempt.outgoing.key, lock=True)
            if row is None or row.state != "sending":
                return None
            tried: dict[str, Any] = {
                "place": attempt.place,
                "channel": attempt.messenger.channel,
                "at": now.isoformat(),
                "ended": type(ended).__name__.lower(),
            }
            if isinstance(ended, Sent):
                row.reference = ended.reference[:120] or None
                self._close(row, "sent", now)
            elif isinstance(ended, Refused):
                tried |= {"code": ended.code, "reason": ended.reason[:300]}
                row.state, row.reason = "waiting", f"{ended.code}: {ended.reason}"[:500]
            elif isinstance(ended, Later):
                tried |= {"reason": ended.reason[:300]}
                row.state, row.reason = "waiting", ended.reason[:500]
            else:
                tried |= {"reason": ended.reason[:300]}
                self._close(row, "unsure", now, reason=ended.reason)
            row.tries = [*row.tries, tried]
            return max(ended.retry_at, now + SHORTEST_DELAY) if isinstance(ended, Later) else None

    @staticmethod
    def _close(row: NotificationRow, state: str, now: datetime, reason: str | None = None) -> None:
        row.state, row.finished_at, row.reason = state, now, reason[:500] if reason else None
        if state != "sent":
            log.warning("notification_not_delivered", notification=row.key, state=state, reason=row.reason)


def _told(row: NotificationRow) -> Mapping[str, object]:
    return {
        "key": row.key,
        "template": row.template,
        "title": wording.title(row.template) if row.template in wording.templates() else row.template,
        "state": row.state,
        "channel": row.channel,
        "reason": row.reason,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
    }
