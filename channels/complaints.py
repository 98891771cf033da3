"""Complaints and what belongs to them, put together once for the gateway, the worker and the terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from bot.answers.phrases import Phrases
from bot.attachments.service import AttachmentService
from bot.clock import Clock
from bot.complaints.categories import CATEGORIES, Categories, Category
from bot.complaints.clocks import TABLE as LIMITS
from bot.complaints.clocks import Calendar, Limits
from bot.complaints.deciding import Candidate, Decider
from bot.complaints.following import Following
from bot.complaints.handling import ComplaintHandling
from bot.complaints.joining import Joining
from bot.complaints.notices import ComplaintNotices
from bot.complaints.relearning import Relearning, Remembered
from bot.complaints.revealing import Revealing
from bot.complaints.service import ComplaintService
from bot.complaints.skill import ComplaintSkill
from bot.complaints.talking import NAME, Parts
from bot.complaints.writing import ComplaintWriter
from bot.conversations.ports import Guides
from bot.conversations.referrals import referrals
from bot.judgements.service import JudgementService
from bot.judgements.skill import JudgeSkill
from bot.matters.repository import Kind
from bot.matters.service import MatterService
from bot.notifications.service import NotificationService
from bot.rule_file import RuleFile
from bot.settings import Settings
from bot.store import Store
from bot.store.sealed import Sealer
from index.dispatching import Dispatching
from index.encoder import Encoder


@dataclass
class Complaints:
    """The services around complaints, made when first asked for: the models and the list take a second to load.

    Raises ConfigurationError where the city's limits or categories cannot be used.
    """

    settings: Settings
    store: Store
    clock: Clock
    sealer: Sealer
    calendar: Calendar
    matters: MatterService
    encoder: Callable[[], Encoder]
    notifications: NotificationService | None = None
    judgements: JudgementService | None = None
    """Both together, or citizens are told nothing."""

    @cached_property
    def writer(self) -> ComplaintWriter:
        return ComplaintWriter(self.sealer, self.calendar, self.limits.current, self.encoder().identity)

    @cached_property
    def limits(self) -> RuleFile[Limits]:
        """The city's table of limits."""
        return RuleFile(self.settings.home, LIMITS)

    @cached_property
    def categories(self) -> RuleFile[list[Category]]:
        """The city's published list of categories."""
        return RuleFile(self.settings.home, CATEGORIES)

    @cached_property
    def decider(self) -> Decider:
        dispatching = Dispatching.beside(self.encoder(), self.settings.home / "index" / "powers.cache")
        return Decider(
            dispatching,
            lambda: self.matters.current_version(Kind.POWERS),
            lambda: list(self.matters.powers()),
            Categories(self.categories, dispatching),
            Remembered(self.store, self.writer.encoder).current,
        )

    @cached_property
    def relearning(self) -> Relearning:
        """Learning from what people decided."""
        return Relearning(self.store, self.clock, self.decider, self.writer.encoder)

    def category_names(self) -> list[str]:
        """Every category of the published list, ``大类/小类``, in its order."""
        return [category.name for category in self.categories.current()]

    @cached_property
    def service(self) -> ComplaintService:
        """What citizens do."""
        return ComplaintService(self.store, self.clock, self.writer, self.decider, notices=self.notices)

    @cached_property
    def notices(self) -> ComplaintNotices | None:
        """What citizens are told."""
        if self.notifications is None or self.judgements is None:
            return None
        return ComplaintNotices(self.writer, self.notifications, self.judgements, self.clock, self.settings)

    @cached_property
    def joining(self) -> Joining:
        """Joining what others filed."""
        service = self.service
        return Joining(self.store, self.clock, self.writer, service.decided, service.same_incident)

    @cached_property
    def following(self) -> Following:
        """Asking again without a code."""
        return Following(self.store, self.clock, self.writer)

    @cached_property
    def handling(self) -> ComplaintHandling:
        """What handlers do."""
        judgements = self.judgements or JudgementService(self.store, self.clock, self.sealer)
        return ComplaintHandling(self.store, self.clock, self.writer, judgements, self.notices)

    def skill(
        self, attachments: AttachmentService, judgements: JudgementService, guides: Guides, phrases: Phrases
    ) -> ComplaintSkill:
        """What the assistant does about complaints."""
        parts = Parts(self, attachments, judgements, self.sealer, self.clock, phrases)
        return ComplaintSkill(parts, JudgeSkill(judgements, phrases), referrals(guides, phrases)[NAME])

    @cached_property
    def revealing(self) -> Revealing:
        """Showing what is sealed."""
        return Revealing(self.store, self.writer)

    def units(self, text: str) -> list[Candidate]:
        """The units in charge of what ``text`` tells, by the list of powers, best first; none without a list."""
        if self.matters.current_version(Kind.POWERS) is None:
            return []
        return list(self.decider.decide(text).candidates)

    def warm(self) -> None:
        """Loads models, list and categories now, where a list is published, so that nobody waits for them."""
        if self.matters.current_version(Kind.POWERS) is not None:
            self.decider.prepare()
