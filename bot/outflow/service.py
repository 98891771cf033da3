"""Subscriptions, and events on their way: put on the list once, claimed, settled, given up, sent again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.clock import Clock
from bot.errors import Conflict, NotFound
from bot.outflow import repository
from bot.outflow.model import (
    MOST_ATTEMPTS,
    STREAM,
    Event,
    Webhook,
    checked_name,
    checked_topics,
    checked_url,
    new_secret,
    pause_after,
    wants,
)
from bot.outflow.tables import DeliveryRow, WebhookRow
from bot.store import Store, UnitOfWork
from bot.store.sealed import Sealer

log = structlog.get_logger("wenban.outflow")

LEASE = timedelta(minutes=2)
KEPT = timedelta(days=7)
"""How long what was delivered is kept, to be looked at."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way. ``attempts`` counts this one."""

    id: int
    target: str
    event_id: str
    type: str
    subject: str
    body: bytes
    attempts: int
    made_at: datetime
    last_status: int | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended: ``status`` of HTTP where there was one; ``error`` None: it arrived.

    ``final``: trying again is no use.
    """

    status: int | None = None
    error: str | None = None
    final: bool = False


class OutflowService:
    """Outflow in the store. Safe to use from several threads and processes."""

    def __init__(self, store: Store, clock: Clock, sealer: Sealer, *, private: bool, streams: bool) -> None:
        """``private``: addresses of the own network are allowed; ``streams``: events go to Redis too."""
        self._store = store
        self._clock = clock
        self._sealer = sealer
        self._private = private
        self._streams = streams
        self._draw = random.SystemRandom()

    # -- subscriptions -------------------------------------------------------------------------------------------------

    def add(self, name: str, url: str, topics: Sequence[str], *, actor: str) -> tuple[str, Webhook]:
        """A new subscription and the secret it is signed with, for the receiver. Raises InvalidInput, Conflict."""
        name, wanted = checked_name(name), checked_topics(topics)
        url = checked_url(url, private=self._private)
        secret = new_secret()
        with self._store.write() as work:
            if repository.by_name(work.session, name) is not None:
                raise Conflict(f"已有名为 {name} 的推送。", code="webhook_name_taken", remedy="请换一个名称。")
            row = WebhookRow(
                name=name,
                url=url,
                topics=list(wanted),
                secret=self._sealer.seal(secret, f"webhooks.secret:{name}"),
                created_at=self._clock.now(),
                created_by=actor,
            )
            work.session.add(row)
            work.session.flush()
            work.audit(actor, "webhook.add", name, {"url": url, "topics": list(wanted)})
            return secret, _webhook(row)

    def remove(self, name: str, *, actor: str) -> None:
        """Ends a subscription; what is on its way there is dropped. Raises NotFound."""
        with self._store.write() as work:
            row = _known(repository.by_name(work.session, name, lock=True), name)
            repository.remove(work.session, row, _webhook(row).target)
            work.audit(actor, "webhook.remove", name)

    def webhooks(self) -> list[Webhook]:
        """Every subscription, by name, without secrets."""
        with self._store.read() as session:
            return [_webhook(row) for row in repository.webhooks(session)]

    def secret_of(self, name: str) -> tuple[Webhook, str]:
        """A subscription with its secret, to sign with. Raises NotFound."""
        with self._store.read() as session:
            row = _known(repository.by_name(session, name), name)
            return _webhook(row), self._sealer.open(row.secret, f"webhooks.secret:{row.name}")

    def receivers(self) -> dict[str, tuple[str, str]]:
        """Address and secret of every active subscription, by target."""
        with self._store.read() as session:
            return {
                _webhook(row).target: (row.url, self._sealer.open(row.secret, f"webhooks.secret:{row.name}"))
                for row in repository.webhooks(session, active=True)
            }

    # -- events --------------------------------------------------------------------------------------------------------

    def targets(self, event_type: str) -> list[str]:
        """Where events of this type go."""
        with self._store.read() as session:
            found = [_webhook(row) for row in repository.webhooks(session, active=True)]
        wanted = [webhook.target for webhook in found if wants(webhook.topics, event_type)]
        return [*wanted, STREAM] if self._streams else wanted

    def publish(self, work: UnitOfWork, event: Event, targets: Sequence[str]) -> int:
        """Puts the event on the list for each target, once however often it is published; how many are new."""
        now, body = self._clock.now(), event.body()
        return sum(
            repository.insert(
                work.session,
                {
                    "target": target,
                    "event_id": event.id,
                    "type": event.type,
                    "subject": event.subject[:120],
                    "body": body,
                    "state": "waiting",
                    "attempts": 0,
                    "made_at": now,
                    "due_at": now,
                },
            )
            for target in targets
        )

    def claim(self, target: str, limit: int) -> list[Delivery]:
        """What is due for a target, leased to the caller."""
        now = self._clock.now()
        with self._store.read() as session:
            if not repository.is_due(session, now, target):
                return []
        with self._store.write() as work:
            return [_delivery(row) for row in repository.claim(work.session, now, now + LEASE, target, limit)]

    def settle(self, delivery: Delivery, ended: Ended) -> str | None:
        """Writes down how an attempt ended; the state after it, None where another has the delivery by now."""
        now = self._clock.now()
        with self._store.write() as work:
            row = repository.claimed(work.session, delivery.id, delivery.attempts)
            if row is None:
                return None
            row.last_status = ended.status
            row.last_error = ended.error[:1_000] if ended.error else None
            if ended.error is None:
                row.state, row.finished_at = "done", now
            elif ended.final or row.attempts >= MOST_ATTEMPTS:
                row.state, row.finished_at = "dead", now
                log.error("delivery_given_up", delivery=row.id, target=row.target, type=row.type, reason=row.last_error)
            else:
                row.state, row.due_at = "waiting", now + pause_after(row.attempts, self._draw.random())
            return row.state

    def dead(self, name: str | None = None, limit: int = 200) -> list[Delivery]:
        """What was given up, oldest first. ``name``: of one subscription, or ``redis``. Raises NotFound."""
        with self._store.read() as session:
            target = self._target(name, repository.by_name(session, name) if name else None)
            return [_delivery(row) for row in repository.dead(session, target, limit)]

    def resend(self, numbers: Sequence[int] = (), name: str | None = None, *, actor: str) -> int:
        """Sends again what was given up: those numbers, or all (of one subscription). Raises NotFound."""
        with self._store.write() as work:
            target = self._target(name, repository.by_name(work.session, name) if name else None)
            found = repository.revive(work.session, self._clock.now(), numbers, target)
            if numbers and found < len(set(numbers)):
                raise NotFound(
                    "其中有的编号不是已放弃的推送。",
                    code="delivery_unknown",
                    remedy="wenban webhook dead 列出已放弃的推送。",
                )
            work.audit(actor, "webhook.resend", name or "all", {"count": found})
            return found

    def counts(self) -> dict[tuple[str, str], int]:
        """How many deliveries there are by target and state."""
        with self._store.read() as session:
            return repository.counts(session)

    def tidy(self) -> int:
        """Forgets what was delivered long ago; how many."""
        with self._store.write() as work:
            return repository.forget(work.session, self._clock.now() - KEPT)

    @staticmethod
    def _target(name: str | None, row: WebhookRow | None) -> str | None:
        if name is None or name == STREAM:
            return name
        return _webhook(_known(row, name)).target


def _known(row: WebhookRow | None, name: str) -> WebhookRow:
    if row is None:
        raise NotFound(f"没有名为 {name} 的推送。", code="webhook_unknown", remedy="wenban webhook list 列出全部推送。")
    return row


def _webhook(row: WebhookRow) -> Webhook:
    return Webhook(row.id, row.name, row.url, tuple(row.topics), row.active, row.created_at, row.created_by)


def _delivery(row: DeliveryRow) -> Delivery:
    return Delivery(
        id=row.id,
        target=row.target,
        event_id=row.event_id,
        type=row.type,
        subject=row.subject,
        body=row.body,
        attempts=row.attempts,
        made_at=row.made_at,
        last_status=row.last_status,
        last_error=row.last_error,
    )
