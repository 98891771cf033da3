"""Actions: how Rasa asks us. One file a skill; they run inside the gateway and hold no rules of their own.

``register`` puts them into rasa-sdk's executor. A turn runs one action. It hands its answer to the turn that waits for
it in the same process; where none does, it utters one JSON message, a reply's dict with the new ``focus`` and the
``turn_id`` beside it, and the gateway that waits finds it in Rasa's reply.
"""

from __future__ import annotations

from rasa_sdk.executor import ActionExecutor

from actions.ask_matter import ActionAskMatter
from actions.base import AssistantAction
from actions.case import ActionCase
from actions.complaint import ActionComplaint
from actions.emergency import ActionEmergency
from actions.handoff import ActionHandoff
from actions.restart import ActionRestart
from actions.smalltalk import ActionSmalltalk
from bot.clock import Clock
from bot.conversations.assistant import Assistant
from bot.conversations.delivery import Deliveries
from bot.conversations.service import ConversationService

ACTIONS: tuple[type[AssistantAction], ...] = (
    ActionAskMatter,
    ActionSmalltalk,
    ActionEmergency,
    ActionHandoff,
    ActionCase,
    ActionComplaint,
    ActionRestart,
)


def register(
    executor: ActionExecutor,
    assistant: Assistant,
    conversations: ConversationService,
    clock: Clock,
    deliveries: Deliveries,
) -> ActionExecutor:
    """Puts every action into ``executor`` and returns it."""
    for action in ACTIONS:
        executor.register_action(action(assistant, conversations, clock, deliveries))
    return executor
