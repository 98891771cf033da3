"""What the complaint's skill works with: the services, the words, and the draft that travels sealed in the focus."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from bot.answers.compose import Offer
from bot.answers.phrases import Phrases
from bot.attachments.model import Attachment
from bot.attachments.service import AttachmentService
from bot.clock import Clock
from bot.complaints.draft import Draft
from bot.complaints.filing import Asker
from bot.complaints.following import Following
from bot.complaints.handling import ComplaintHandling
from bot.complaints.joining import Joining
from bot.complaints.service import ComplaintService
from bot.conversations.answering import choices_message
from bot.conversations.model import Answer, Focus, Reply, SkillState, with_skill
from bot.conversations.ports import Situation
from bot.errors import ConfigurationError
from bot.judgements.service import JudgementService
from bot.store.sealed import Sealer

NAME: Final = "complaint"
SENT_BEFORE = timedelta(hours=1)
"""A picture sent so shortly before the complaint was begun belongs to it."""


class Office(Protocol):
    """The services around complaints; made when first asked for."""

    @property
    def service(self) -> ComplaintService: ...
    @property
    def joining(self) -> Joining: ...
    @property
    def following(self) -> Following: ...
    @property
    def handling(self) -> ComplaintHandling: ...


@dataclass(frozen=True)
class Parts:
    """Everything the skill was given."""

    office: Office
    attachments: AttachmentService
    judgements: JudgementService
    sealer: Sealer
    clock: Clock
    phrases: Phrases

    def say(self, name: str, **values: object) -> str:
        return self.phrases.say(f"complaint.{name}", **values)

    # -- what travels in the focus --------------------------------------------------------------------------------

    def keeping(self, situation: Situation, draft: Draft | None, **data: str) -> Focus:
        """The focus in which the skill goes on with ``data`` and the draft."""
        sealed = ""
        if draft is not None:
            content = self.sealer.seal(draft.to_json(), _place(situation))
            sealed = base64.b64encode(content).decode()
        return with_skill(situation.focus, SkillState(NAME, data, sealed))

    def draft(self, situation: Situation) -> Draft | None:
        """The draft of the active skill; None where there is none, or it cannot be read any more."""
        state = situation.focus.skill
        if state is None or state.name != NAME or not state.sealed:
            return None
        try:
            return Draft.from_json(self.sealer.open(base64.b64decode(state.sealed), _place(situation)))
        except (ConfigurationError, binascii.Error, ValueError, TypeError, KeyError):
            return None

    # -- replies --------------------------------------------------------------------------------------------------

    def reply(self, *messages: str | Mapping[str, Any], danger: str | None = None) -> Reply:
        made = [{"kind": "text", "text": each} if isinstance(each, str) else each for each in messages if each]
        return Reply("complaint", tuple(made), confidence=1.0, danger=danger)

    def choices(self, prompt: str, offers: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """Numbered choices: titles and what they send."""
        return choices_message(prompt, [Offer(title, payload) for title, payload in offers])

    # -- who, and what he sent ------------------------------------------------------------------------------------

    def pictures(self, situation: Situation, draft: Draft) -> list[Attachment]:
        """What was sent into the conversation for this complaint, oldest first."""
        if not situation.conversation_id:
            return []
        since = datetime.fromisoformat(draft.since) - SENT_BEFORE
        found = [
            each for each in self.attachments.of_conversation(situation.conversation_id) if each.created_at >= since
        ]
        if not found:
            return []
        taken = {name for shown in self.office.following.mine(asker(situation)) for name in shown.attachments}
        return [each for each in found if each.id not in taken]


def asker(situation: Situation, *, origin: bool = False) -> Asker:
    """Who talks. Filing goes by the citizen or the conversation; ``origin``: wrong codes go by where he is."""
    where = situation.origin if origin else ""
    return Asker(situation.channel, where, situation.citizen, situation.conversation_id or None)


def ended(situation: Situation) -> Focus:
    return with_skill(situation.focus, None)


def step_of(situation: Situation) -> str:
    state = situation.focus.skill
    return state.data.get("step", "") if state is not None and state.name == NAME else ""


def _place(situation: Situation) -> str:
    return f"conversations.skill:{situation.conversation_id}"


Resume = Callable[[Situation], Answer | None]
__all__ = ["NAME", "Answer", "Office", "Parts", "Resume", "asker", "ended", "replace", "step_of"]
