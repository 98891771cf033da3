"""What cases need of others: somebody who files complaints, and the matters' own limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Protocol, Self

from bot.matters.model import Limit

COMPLAINT_TOPIC = "complaint.requested"
"""Outbox topic of requests that are kept and not filed as complaints yet."""


@dataclass(frozen=True, slots=True)
class DelayComplaint:
    """An overdue case that its applicant wants looked into. ``receipt``: the request's own number."""

    receipt: str
    case_number: str
    matter: str | None
    matter_name: str
    department: str
    unit: str | None
    person: str | None
    due: date
    late_days: int
    citizen: str | None
    conversation_id: str | None
    requested_at: datetime

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {**asdict(self), "due": self.due.isoformat(), "requested_at": self.requested_at.isoformat()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """What :meth:`to_dict` made."""
        due, requested = date.fromisoformat(values["due"]), datetime.fromisoformat(values["requested_at"])
        return cls(**{**values, "due": due, "requested_at": requested})


@dataclass(frozen=True, slots=True)
class Filed:
    """The complaint that came of a request. ``query_code`` None: not for this asker."""

    number: str
    query_code: str | None
    department: str | None


class FileComplaint(Protocol):
    """Files complaints, each request once: asked again with the same ``receipt`` it gives the same complaint."""

    def __call__(self, delay: DelayComplaint, contact: str | None) -> Filed:
        """Files ``delay``; ``contact``: the applicant's phone, kept sealed."""
        ...


MatterLimits = Callable[[str], Limit | None]
"""Code of a matter → its promised limit, for cases that name none of their own."""
