"""Whether the gateway should be sent citizens: a pure rule over what its parts say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Part = Literal["database", "index", "rasa", "worker"]

VITAL: frozenset[Part] = frozenset({"database", "index"})
"""Without these nothing can be answered."""
GRACE = timedelta(minutes=3)
"""So long after the start the gateway waits for the parts it can do without before it calls itself ready."""


@dataclass(frozen=True, slots=True)
class PartState:
    up: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Readiness:
    """``ready``: send citizens here. ``limited``: a part is down that can be done without; answers say so."""

    ready: bool
    limited: bool
    parts: Mapping[Part, PartState]

    @property
    def status(self) -> str:
        if not self.ready:
            return "not_ready"
        return "limited" if self.limited else "ready"


def judge(parts: Mapping[Part, PartState], once_complete: bool, started_at: datetime, now: datetime) -> Readiness:
    """Ready when every part is up. Once that has been so (or the grace is over) only the vital ones can take it back:
    a balancer must not take away every gateway because the one Rasa behind them is down."""
    missing = {part for part, state in parts.items() if not state.up}
    patient = not once_complete and now - started_at < GRACE
    ready = not missing if patient else not missing & VITAL
    return Readiness(ready, bool(missing), parts)
