"""Use cases of the inbox. Each function is one step inside a transaction that the caller opens (and may share).

Every decision is a conditional change: of two processes that try, one succeeds and the other learns what was decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.wechat import repository
from bot.wechat.model import YOUNGEST_LOST, Answer, Message, Windows, opened, together
from bot.wechat.tables import CitizenRow, ConsentRow, InboxRow

LEASE = timedelta(seconds=10)
"""How long a process may be silent before another takes its messages over."""
MOST_ATTEMPTS = 6
"""Failed attempts to send an answer, after which it waits for the citizen's next message."""
FIRST_PAUSE = timedelta(seconds=2)
KEPT = timedelta(days=3)
"""How long closed messages are kept: the platform's retries and the operator's questions come sooner."""
IDLE = timedelta(hours=12)
"""After so long without a sign of the citizen his conversation is over; the next word begins another."""
LONGEST_PART = 2048
"""UTF-8 bytes of one text message."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A message as it stands. ``mine``: the caller is to work on it; ``fresh``: it had not been seen before."""

    id: int
    openid: str
    message: Message
    state: str
    delivery: str | None
    answer: Answer | None
    parts_sent: int
    attempts: int
    mine: bool
    fresh: bool = False
    waits: bool = False
    """Whether an earlier message of the same citizen is to be answered first."""

    @property
    def passive_text(self) -> str | None:
        """What the reply to a post says, once decided; None for nothing."""
        return self.answer.parts[0] if self.delivery == "passive" and self.answer and self.answer.parts else None


def take_in(session: Session, message: Message, identity: str, owner: str, now: datetime) -> Taken:
    """Stores the message, or joins the one already there; takes it over where nobody works on it any more."""
    fresh = {
        "identity": identity,
        "openid": message.openid,
        "message": message.to_dict(),
        "arrived_at": now,
        "owner": owner,
        "lease_until": now + LEASE,
    }
    row_id = repository.insert(session, fresh)
    if row_id is not None:
        _note(repository.citizen_to_change(session, message.openid, now), message, now)
        waits = repository.earlier_open(session, message.openid, row_id)
        return Taken(
            row_id,
            message.openid,
            message,
            "open",
            None,
            None,
            parts_sent=0,
            attempts=0,
            mine=True,
            fresh=True,
            waits=waits,
        )
    row = repository.message_of(session, identity)
    take_over = row.state == "open" and row.owner != owner and row.lease_until <= now
    if take_over and repository.change(
        session, row.id, InboxRow.owner == row.owner, InboxRow.lease_until <= now, owner=owner, lease_until=now + LEASE
    ):
        session.refresh(row)
    waits = row.state == "open" and repository.earlier_open(session, row.openid, row.id)
    return replace(_taken(row, owner, now), waits=waits)


def look(session: Session, row_id: int, owner: str, now: datetime) -> Taken:
    """The message as it stands, taken over where nobody works on it any more and its turn has come."""
    row = repository.message(session, row_id)
    return take_in(session, Message.from_dict(row.message), row.identity, owner, now)


def answered_at_once(session: Session, taken: Taken, owner: str, answer: Answer) -> Taken | None:
    """The plain case of :func:`answered` in one statement: one part, waited for, nothing decided or owed before.

    None, with nothing changed, where it is not that case.
    """
    values = {"answer": answer.to_dict(), "delivery": "passive", "parts_sent": 1, "state": "done"}
    if len(answer.parts) != 1 or not repository.settle(session, taken.id, taken.openid, owner, values):
        return None
    return replace(taken, answer=answer, delivery="passive", parts_sent=1, state="done")


def answered(session: Session, row_id: int, owner: str, answer: Answer, *, waited_for: bool, now: datetime) -> Taken:
    """Keeps the answer and, where nothing was decided, decides how it goes: as a reply while a post is waited for.

    A reply takes along what the citizen has not got yet of earlier answers. Where the message has meanwhile been taken
    over, nothing is changed and ``mine`` is false.
    """
    row = repository.message(session, row_id, locked=True)
    if row.state != "open" or row.owner != owner:
        return replace(_taken(row, owner, now), mine=False)
    if not answer.parts:
        row.delivery = row.delivery or "none"
    elif row.delivery is None:
        row.delivery = "passive" if waited_for else "service"
    if row.delivery == "passive":
        before = [part for other in repository.undelivered(session, row.openid, row.id) for part in _close(other)]
        if before:
            answer = replace(answer, parts=together([*before, *answer.parts], LONGEST_PART))
        row.parts_sent = 1
    row.answer = answer.to_dict()
    row.state = "done" if row.parts_sent >= len(answer.parts) else "ready"
    session.flush()
    return _taken(row, owner, now)


def give_up_waiting(session: Session, row_id: int, delivery: str, owner: str, now: datetime) -> Taken:
    """Decides that the post gets no reply (``delivery``: service or held), unless something was decided before."""
    repository.change(session, row_id, InboxRow.delivery.is_(None), delivery=delivery)
    row = repository.message(session, row_id)
    return _taken(row, owner, now)


def begin_part(session: Session, row_id: int, owner: str, part: int, now: datetime) -> bool:
    """The right to send the answer's ``part``: once, within the citizen's windows. False keeps it for later.

    Between this and :func:`end_part` the message may be on its way: a process that dies there leaves it in doubt.
    """
    row = repository.message(session, row_id, locked=True)
    if row.owner != owner or row.state != "ready" or row.delivery == "held" or row.parts_sent != part:
        return False
    citizen = repository.citizen_to_change(session, row.openid, now)
    windows = windows_of(citizen)
    if not windows.left(now):
        row.delivery, row.fault = "held", "window_closed"
        return False
    _keep(citizen, windows.spent(now))
    row.state = "sending"
    return True


def end_part(session: Session, row_id: int, owner: str, *, sent: bool, fault: str | None, now: datetime) -> None:
    """A part was sent, or nobody knows (``sent`` with a ``fault``), or it was refused for good (not ``sent``)."""
    row = repository.message(session, row_id, locked=True)
    if row.owner != owner or row.state != "sending":
        return
    citizen = repository.citizen_to_change(session, row.openid, now)
    row.fault = fault
    if sent:
        citizen.sent += 1
        row.parts_sent += 1
        row.state = "done" if row.parts_sent >= len(Answer.from_dict(row.answer or {}).parts) else "ready"
        row.attempts = 0
    else:
        citizen.refused += 1
        citizen.last_refusal = fault
        row.state, row.delivery = "ready", "held"


def put_off(session: Session, row_id: int, owner: str, fault: str, now: datetime) -> None:
    """A part was certainly not sent: another try after a pause, twice as long each time; at last it is held."""
    row = repository.message(session, row_id, locked=True)
    if row.owner != owner or row.state != "sending":
        return
    citizen = repository.citizen_to_change(session, row.openid, now)
    _keep(citizen, opened_again(windows_of(citizen), now))
    row.state, row.fault, row.attempts = "ready", fault, row.attempts + 1
    if row.attempts >= MOST_ATTEMPTS:
        row.delivery = "held"
    row.lease_until = now + FIRST_PAUSE * 2 ** (row.attempts - 1)


def take_abandoned(session: Session, owner: str, now: datetime, limit: int) -> list[Taken]:
    """Messages whose process is gone, and answers whose next try is due. What was on its way stays in doubt."""
    taken = []
    for row in repository.abandoned(session, now, now - YOUNGEST_LOST, limit):
        if row.state == "sending":
            # Nobody knows whether it arrived. It is not sent again, so that nothing is doubled.
            row.fault, row.parts_sent = "unsure", row.parts_sent + 1
            row.state = "done" if row.parts_sent >= len(Answer.from_dict(row.answer or {}).parts) else "ready"
        row.owner, row.lease_until = owner, now + LEASE
        taken.append(_taken(row, owner, now))
    session.flush()
    return [each for each in taken if each.state != "done"]


def renew(owner: str, ids: Sequence[int], session: Session, now: datetime) -> None:
    """``owner`` still works on the messages ``ids``."""
    for start in range(0, len(ids), 500):
        repository.lease(session, owner, now + LEASE, ids[start : start + 500])


def release(owner: str, session: Session, now: datetime) -> None:
    """``owner`` ends: whoever runs next may go on at once."""
    repository.lease(session, owner, now)


def tidy(session: Session, now: datetime) -> tuple[int, int]:
    """Closes what can no longer be answered and removes what is long closed; how many of each."""
    return repository.expire(session, now - YOUNGEST_LOST), repository.purge(session, now - KEPT)


# -- citizens -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of a citizen between messages."""

    conversation_id: str | None
    offered: tuple[Mapping[str, str], ...]
    windows: Windows


def known(session: Session, openid: str) -> Known:
    """What is kept of the citizen."""
    row = repository.citizen(session, openid)
    if row is None:
        return Known(None, (), Windows())
    return Known(row.conversation_id, tuple(row.offered or ()), windows_of(row))


def remember(session: Session, openid: str, now: datetime, **values: Any) -> None:
    """Keeps ``conversation_id`` or ``offered``."""
    row = repository.citizen_to_change(session, openid, now)
    for name, value in values.items():
        setattr(row, name, value)


def consented(session: Session, openid: str, template_id: str, accepted: bool, now: datetime) -> None:
    """Keeps whether the citizen takes notices of a template."""
    row = repository.consent(session, openid, template_id)
    if row is None:
        session.add(ConsentRow(openid=openid, template_id=template_id, accepted=accepted, told_at=now))
    else:
        row.accepted, row.told_at = accepted, now


def close_windows(session: Session, openid: str, now: datetime, *, followed: bool | None = None) -> None:
    """The platform says that nothing more may be sent."""
    row = repository.citizen_to_change(session, openid, now)
    _keep(row, Windows())
    if followed is not None:
        row.followed = followed


def spend(session: Session, openid: str, now: datetime) -> bool:
    """Counts one customer-service message outside the inbox; whether one may be sent."""
    row = repository.citizen_to_change(session, openid, now)
    windows = windows_of(row)
    if not windows.left(now):
        return False
    _keep(row, windows.spent(now))
    row.sent += 1
    return True


def refund(session: Session, openid: str, now: datetime) -> None:
    """What :func:`spend` counted was not sent."""
    row = repository.citizen_to_change(session, openid, now)
    _keep(row, opened_again(windows_of(row), now))
    row.sent -= 1


def windows_of(row: CitizenRow) -> Windows:
    return Windows(row.message_until, row.message_left, row.action_until, row.action_left)


def opened_again(windows: Windows, now: datetime) -> Windows:
    """One message was counted and not sent."""
    if windows.message_until is not None and now < windows.message_until:
        return replace(windows, message_left=windows.message_left + 1)
    return windows


def _keep(row: CitizenRow, windows: Windows) -> None:
    row.message_until, row.message_left = windows.message_until, windows.message_left
    row.action_until, row.action_left = windows.action_until, windows.action_left


def _note(row: CitizenRow, message: Message, now: datetime) -> None:
    """What the arrival of a message says about the citizen."""
    if now - row.seen_at >= IDLE:
        row.conversation_id = row.offered = None
    row.seen_at = now
    if message.event == "unsubscribe":
        row.followed = False
        _keep(row, Windows())
        return
    if message.kind != "event" or message.event in {"subscribe", "scan", "click"}:
        row.followed = True
    _keep(row, opened(windows_of(row), message, now))


def _close(row: InboxRow) -> tuple[str, ...]:
    """The parts not sent of an answer that is now delivered another way."""
    row.state, row.fault = "done", "with_next"
    return Answer.from_dict(row.answer or {}).parts[row.parts_sent :]


def _taken(row: InboxRow, owner: str, now: datetime, *, fresh: bool = False) -> Taken:
    return Taken(
        id=row.id,
        openid=row.openid,
        message=Message.from_dict(row.message),
        state=row.state,
        delivery=row.delivery,
        answer=Answer.from_dict(row.answer) if row.answer else None,
        parts_sent=row.parts_sent,
        attempts=row.attempts,
        mine=row.owner == owner and row.lease_until > now,
        fresh=fresh,
    )
