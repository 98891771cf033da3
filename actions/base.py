"""What all actions share: reading Rasa's tracker, asking the assistant, uttering one reply."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.clock import Clock
from bot.conversations.assistant import Assistant
from bot.conversations.delivery import Deliveries
from bot.conversations.model import Answer, FacetGuess, Focus, Reply, Understanding
from bot.conversations.service import ConversationService, conversation_of

DELIVERED = {"delivered": True}
"""What is uttered where the turn has its answer already; silence would mean that an action failed."""


class AssistantAction(Action):  # type: ignore[misc]  # rasa-sdk has no types
    """One skill as Rasa calls it. ``intents``: those it is for; empty = any.

    When the dialogue policy picks it for another intent, it stands for its first intent: the policy knew more.
    """

    action_name: ClassVar[str]
    intents: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, assistant: Assistant, conversations: ConversationService, clock: Clock, deliveries: Deliveries
    ) -> None:
        self._assistant = assistant
        self._conversations = conversations
        self._clock = clock
        self._deliveries = deliveries

    def name(self) -> str:
        return self.action_name

    async def run(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: dict[str, Any],  # noqa: ARG002  (the protocol's signature)
    ) -> list[dict[str, Any]]:
        understanding = understood(tracker.latest_message or {}, self.intents)
        metadata = (tracker.latest_message or {}).get("metadata") or {}
        turn_id = metadata.get("turn_id")
        conversation = conversation_of(tracker.sender_id)
        reply, focus = await asyncio.to_thread(self._answer, conversation, understanding, str(turn_id or ""))
        delivered = self._deliveries.hand_over(str(turn_id or ""), (reply, focus))
        dispatcher.utter_message(json_message=DELIVERED if delivered else packed(reply, focus, turn_id))
        return self.events()

    def events(self) -> list[dict[str, Any]]:
        """Events for Rasa's tracker; the context itself is kept by the conversation."""
        return []

    def _answer(self, conversation_id: str, understanding: Understanding, turn_id: str) -> Answer:
        focus, speaker = self._conversations.standing(conversation_id)
        speaker = replace(speaker, turn_id=turn_id)
        return self._assistant.answer(understanding, focus, self._clock.now().date(), speaker)


def packed(reply: Reply, focus: Focus, turn_id: str | None) -> dict[str, Any]:
    """A reply and the new focus as they travel through Rasa."""
    return {**reply.to_dict(), "focus": focus.to_dict(), "turn_id": turn_id}


def unpacked(payload: Mapping[str, Any]) -> Answer:
    """Reads :func:`packed`; raises KeyError, TypeError or ValueError where it is something else."""
    return Reply.from_dict(payload), Focus.from_dict(payload["focus"])


def understood(message: Mapping[str, Any], intents: tuple[str, ...] = ()) -> Understanding:
    """Rasa's latest message as the assistant takes it."""
    intent = message.get("intent") or {}
    name = intent.get("name")
    if intents and name not in intents:
        name = intents[0]
    facets = (FacetGuess(str(f["name"]), float(f["confidence"])) for f in message.get("facets") or ())
    return Understanding(
        text=str(message.get("text") or ""),
        intent=name,
        intent_confidence=float(intent.get("confidence") or 0.0),
        facets=tuple(facets),
        entities=tuple(dict(entity) for entity in message.get("entities") or ()),
    )
