"""Who is asked first to take a call: by skill (the queue's own operators), by load, then in turn."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.handoff import repository
from bot.handoff.desk import Desk, Queue
from bot.handoff.model import Presence
from bot.handoff.staff import present_as
from bot.handoff.tables import HandoffRow


@dataclass(frozen=True, slots=True)
class Candidate:
    """An operator who is there for the queue. ``load``: what he has and is asked to take; ``last_taken``: when he took
    one last, None for never.
    """

    id: int
    load: int
    last_taken: datetime | None


def fairest(candidates: Sequence[Candidate], passed: Collection[int], parallel: int) -> int | None:
    """Who has the fewest; of several the one whose turn is longest ago. None where everybody has enough or passed."""
    free = [each for each in candidates if each.load < parallel and each.id not in passed]
    never = [each for each in free if each.last_taken is None]
    by_load = min((each.load for each in free), default=0)
    first = [each.id for each in never if each.load == by_load]
    if first:
        return min(first)
    taken = [(each.load, each.last_taken, each.id) for each in free if each.last_taken is not None]
    return min(taken)[2] if taken else None


def candidates(session: Session, queue: Queue, now: datetime, but: int = 0) -> list[Candidate]:
    """The operators who are there for ``queue``; their loads without the call ``but``."""
    loads, last = repository.loads(session, but), repository.last_taken(session)
    return [
        Candidate(account.id, loads.get(account.id, 0), last.get(account.id))
        for account, presence in repository.operators(session)
        if queue.serves(account.username) and present_as(presence, now) is Presence.ONLINE
    ]


def offer(session: Session, row: HandoffRow, desk: Desk, now: datetime) -> None:
    """Asks somebody to take the waiting call ``row``, for a while; whoever was asked before has let it pass.

    Everybody else may take it all the same. Where nobody is left to ask, it is everybody's.
    """
    if row.wanted_id is not None and row.offered_until is None:
        return  # handed on to a colleague by name
    if row.wanted_id is not None:
        row.passed = [*row.passed, row.wanted_id]
    there = candidates(session, desk.queue(row.queue), now, row.id)
    chosen = fairest(there, row.passed, desk.limits.parallel) if desk.limits.offer else None
    if chosen is None and row.wanted_id is None:
        return  # as before: nobody was asked, and nobody is left
    row.wanted_id = chosen
    row.offered_until = now + desk.limits.offer if chosen is not None else None
    row.version += 1


def offer_is_over(row: HandoffRow, now: datetime) -> bool:
    """Whether somebody (else) is to be asked."""
    return row.offered_until is not None and now >= row.offered_until
