"""What other systems are told of complaints and their supervision: the data of events, without personal data.

Texts are those with numbers starred; places, contacts, names and query codes never leave by this way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from bot.complaints import repository as complaints
from bot.complaints.handling import DECIDED_TOPIC
from bot.complaints.service import CHANGED_TOPIC, FILED_TOPIC, URGENT_TOPIC
from bot.complaints.tables import ComplaintRow
from bot.judgements.service import POOR_TOPIC
from bot.masking import masked
from bot.supervision import repository
from bot.supervision.calling import CALLBACK_TOPIC
from bot.supervision.model import LEVEL_NAMES, Level
from bot.supervision.raising import ALARM_TOPIC, NOTICE_TOPIC
from bot.supervision.rectifying import RECTIFICATION_TOPIC

OUTWARD = (
    FILED_TOPIC,
    URGENT_TOPIC,
    CHANGED_TOPIC,
    DECIDED_TOPIC,
    ALARM_TOPIC,
    NOTICE_TOPIC,
    CALLBACK_TOPIC,
    RECTIFICATION_TOPIC,
    POOR_TOPIC,
)
"""Topics of the outbox that become events."""

_KEPT = {
    DECIDED_TOPIC: ("number", "act", "department"),
    CALLBACK_TOPIC: ("number", "reason", "act", "outcome"),
    RECTIFICATION_TOPIC: ("number", "unit", "level", "act"),
    POOR_TOPIC: ("level", "unit"),
}


def event_data(session: Session, topic: str, key: str, payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The data of the event; None where what it is about is not there any more."""
    if topic in (FILED_TOPIC, URGENT_TOPIC, CHANGED_TOPIC):
        row = complaints.by_number(session, str(payload["number"]))
        danger = {"danger": payload.get("danger")} if topic == URGENT_TOPIC else {}
        return {**_complaint(row), **danger} if row is not None else None
    if topic == ALARM_TOPIC:
        return _alarm(session, payload)
    if topic == NOTICE_TOPIC:
        return _notice(session, payload)
    kept = {name: payload[name] for name in _KEPT[topic] if payload.get(name) is not None}
    return {**kept, "subject": key} if topic == POOR_TOPIC else kept


def _complaint(row: ComplaintRow) -> Mapping[str, Any]:
    return {
        "number": row.number,
        "version": row.version,
        "state": row.state,
        "kind": row.kind,
        "category": row.category,
        "urgent": row.urgent,
        "text": masked(row.text),
        "department": row.department,
        "co_departments": list(row.co_departments),
        "channel": row.channel,
        "filed_at": row.filed_at,
        "sign_due_at": row.sign_due_at,
        "reply_due_at": row.reply_due_at,
        "due_at": row.due_at,
        "provisional": row.provisional,
        "answer": masked(row.answer) if row.answer else None,
        "answered_at": row.answered_at,
        "closed_at": row.closed_at,
    }


def _alarm(session: Session, payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found = repository.alarm(session, int(payload["alarm"]))
    if found is None:
        return None
    row, number = found
    level = Level(row.level)
    return {
        "alarm": row.id,
        "act": payload.get("act", "raised"),
        "number": number,
        "clock": row.clock,
        "level": level.name.lower(),
        "level_name": LEVEL_NAMES[level],
        "deadline_version": row.version,
        "department": row.department,
        "urgent": row.urgent,
        "due_at": row.due_at,
        "raised_at": row.raised_at,
        "by_hand": row.serial > 0,
        "reason": masked(row.reason) if row.reason else None,
        "answer_due_at": row.answer_due_at,
        "answer": masked(row.answer) if row.answer else None,
        "answered_at": row.answered_at,
        "revoked_at": row.revoked_at,
    }


def _notice(session: Session, payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
    row = repository.notice(session, int(payload["notice"]))
    if row is None:
        return None
    levels = repository.levels_of(session, [row.id]).get(row.id, {})
    return {
        "notice": row.id,
        "role": row.role,
        "department": row.department or None,
        "urgent": row.urgent,
        "count": sum(levels.values()),
        "levels": {level.name.lower(): count for level, count in levels.items()},
    }
