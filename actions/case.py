"""How far an application has come."""

from __future__ import annotations

from actions.base import AssistantAction


class ActionCase(AssistantAction):
    action_name = "action_case"
    intents = ("query_case",)
