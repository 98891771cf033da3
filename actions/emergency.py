"""Danger to life: the emergency number first."""

from __future__ import annotations

from actions.base import AssistantAction


class ActionEmergency(AssistantAction):
    action_name = "action_emergency"
    intents = ("emergency",)
