"""Asking the citizen how a person served him: once for each call that a person answered, credited to that person."""

from __future__ import annotations

from datetime import datetime

from bot.answers.compose import Offer
from bot.answers.phrases import Phrases
from bot.conversations import repository as conversations
from bot.conversations.answering import choices_message
from bot.conversations.model import Reply
from bot.conversations.tables import ConversationRow
from bot.handoff.model import PHONE
from bot.handoff.tables import HandoffRow
from bot.judgements.model import LEVELS
from bot.judgements.service import JudgementService
from bot.judgements.skill import WORD
from bot.people.model import Account
from bot.store import UnitOfWork

SUBJECT = "conversation:"
"""What is judged, with the conversation's id after it."""


class Satisfaction:
    """Asks in the conversation itself, by five buttons; a known citizen may answer by a bare digit."""

    def __init__(self, judgements: JudgementService, phrases: Phrases) -> None:
        self._judgements = judgements
        self._phrases = phrases

    def ask(
        self,
        work: UnitOfWork,
        row: HandoffRow,
        conversation: ConversationRow,
        operator: Account,
        unit: str,
        now: datetime,
    ) -> int | None:
        """The event that asks; None where nothing was said to the citizen, or he was on the telephone."""
        if row.first_reply_at is None or conversation.channel == PHONE:
            return None
        token = self._judgements.ask(
            work,
            subject=f"{SUBJECT}{conversation.id}",
            occasion=f"handoff:{row.id}",
            title="人工服务",
            unit=unit,
            person=operator.username,
            citizen=conversation.citizen,
        )
        offers = [Offer(LEVELS[level], f"{WORD} {token} {level}") for level in sorted(LEVELS)]
        reply = Reply("handoff", (choices_message(self._phrases.say("handoff.judge"), offers),), confidence=1.0)
        payload = {"turn_id": None, "client_message_id": None, **reply.to_dict()}
        return conversations.add_event(work.session, conversation, "bot", payload, now).number
