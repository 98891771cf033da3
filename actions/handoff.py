"""The citizen wants a person."""

from __future__ import annotations

from actions.base import AssistantAction


class ActionHandoff(AssistantAction):
    action_name = "action_handoff"
    intents = ("talk_to_human",)
