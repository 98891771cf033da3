"""Cases and what belongs to them, put together once for the gateway, the worker and the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.answers.phrases import Phrases
from bot.cases.delays import Delays
from bot.cases.keeping import CaseKeeper
from bot.cases.ports import FileComplaint, MatterLimits
from bot.cases.sealing import CaseSealer
from bot.cases.service import CaseService
from bot.cases.skill import CaseSkill
from bot.cases.writing import CaseWriter
from bot.clock import Clock
from bot.conversations.ports import Skill
from bot.judgements.service import JudgementService
from bot.judgements.skill import JudgeSkill
from bot.keys.service import KeyService
from bot.matters.model import Limit
from bot.notifications.ports import Messenger
from bot.notifications.service import NotificationService
from bot.settings import Settings
from bot.store import Store
from bot.store.sealed import Sealer, load_sealer
from bot.workdays import WorkCalendar

if TYPE_CHECKING:
    from bot.matters.service import MatterService  # brings the index along, which the worker does without


@dataclass(frozen=True)
class Casework:
    """The services around cases."""

    sealer: Sealer
    keeper: CaseKeeper
    cases: CaseService
    delays: Delays
    notifications: NotificationService
    judgements: JudgementService
    keys: KeyService

    def skills(self, phrases: Phrases) -> dict[str, Skill]:
        """What the assistant can do with them, by name."""
        judge = JudgeSkill(self.judgements, phrases)
        return {"case": CaseSkill(self.cases, self.delays, judge, phrases), "judge": judge}


def build_casework(
    settings: Settings,
    store: Store,
    clock: Clock,
    calendar: WorkCalendar,
    limits: MatterLimits,
    messengers: Sequence[Messenger] = (),
    file_complaint: FileComplaint | None = None,
) -> Casework:
    """The services over ``settings``. ``limits``: see :func:`limits_of`; only the worker delivers by ``messengers``;
    ``file_complaint``: who files the complaint about a late case, None where this process asks for none.

    Raises ConfigurationError where the data key is none.
    """
    sealer = load_sealer(settings)
    notifications = NotificationService(store, clock, sealer, settings, messengers)
    judgements = JudgementService(store, clock, sealer)
    writer = CaseWriter(CaseSealer(sealer), notifications, judgements, calendar, settings)
    cases = CaseService(store, clock, writer, calendar, settings, limits)
    return Casework(
        sealer=sealer,
        keeper=CaseKeeper(store, clock, writer, settings),
        cases=cases,
        delays=Delays(store, clock, cases, notifications, file_complaint, settings.links),
        notifications=notifications,
        judgements=judgements,
        keys=KeyService(store, clock),
    )


def limits_of(matters: MatterService) -> MatterLimits:
    """The promised limits of the published guides."""

    def limit(matter: str) -> Limit | None:
        published = matters.get_any(matter)
        return published.guide.promised_limit if published else None

    return limit


def no_limits(_: str) -> Limit | None:
    """For processes that show no case, and so need not open the catalogue."""
    return None
