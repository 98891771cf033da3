"""Who of the operators is there, as steps inside somebody's transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.handoff import repository
from bot.handoff.desk import Desk, Queue
from bot.handoff.model import Call, Colleague, Place, Presence, estimate, position
from bot.handoff.tables import HandoffRow, PresenceRow

LEASE = timedelta(seconds=45)
"""How long an operator counts as there after his desk's stream was last heard of."""
MEASURED = 20
"""Latest conversations whose length tells how long one takes; fewer than a quarter of them tell nothing."""


def present_as(row: PresenceRow | None, now: datetime) -> Presence:
    """What an operator counts as now: offline once his desk is closed."""
    if row is None or row.until <= now:
        return Presence.OFFLINE
    return Presence(row.state)


def gone_since(row: PresenceRow | None, otherwise: datetime, now: datetime) -> datetime | None:
    """Since when an operator is offline; None while he is not, ``otherwise`` where he never was there."""
    if present_as(row, now) is not Presence.OFFLINE:
        return None
    if row is None:
        return otherwise
    return row.since if row.state == Presence.OFFLINE else row.until


def colleagues(session: Session, now: datetime) -> list[Colleague]:
    """Every operator."""
    holding = repository.holding(session)
    return [
        Colleague(
            account.id,
            account.username,
            account.display_name,
            present_as(row, now),
            row.reason if row is not None else "",
            holding.get(account.id, 0),
        )
        for account, row in repository.operators(session)
    ]


def online(session: Session, queue: Queue | None, now: datetime) -> int:
    """How many operators take conversations of ``queue`` now; None: of any."""
    there = (each for each in colleagues(session, now) if each.presence is Presence.ONLINE)
    return sum(queue is None or queue.serves(each.username) for each in there)


def place_of(session: Session, row: HandoffRow, desk: Desk, now: datetime) -> Place:
    """Where a waiting call stands, and for how long."""
    limits = desk.limits
    calls = [call_of(each) for each in repository.waiting(session, row.queue)]
    lengths = [ended - taken for taken, ended in repository.recent_lengths(session, MEASURED)]
    each = sum(lengths, timedelta()) / len(lengths) if len(lengths) >= MEASURED // 4 else limits.expected
    place = position(calls, row.id)
    wait = estimate(place, online(session, desk.queue(row.queue), now), each, limits.parallel)
    return Place(place, int(wait.total_seconds() // 60))


def call_of(row: HandoffRow) -> Call:
    """The call as the rules look at it."""
    return Call(
        row.id,
        row.queue,
        row.urgent,
        row.asked_at,
        row.taken_at,
        row.first_reply_at,
        row.unanswered_since,
        row.reminded_at,
    )
