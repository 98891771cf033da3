"""What complaints need of others: somebody who tells citizens."""

from __future__ import annotations

from typing import Protocol

from bot.complaints.model import State
from bot.complaints.tables import ComplaintRow
from bot.store import UnitOfWork


class Notices(Protocol):
    """Tells everybody whom a change concerns, within the transaction of the change."""

    def tell(self, work: UnitOfWork, row: ComplaintRow, act: str, before: State) -> None:
        """``row`` as it is after ``act``."""
        ...
