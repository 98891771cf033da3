"""The citizen starts over: the assistant forgets the topic, Rasa forgets the session."""

from __future__ import annotations

from typing import Any

from rasa_sdk.events import Restarted

from actions.base import AssistantAction


class ActionRestart(AssistantAction):
    action_name = "action_restart"
    intents = ("restart",)

    def events(self) -> list[dict[str, Any]]:
        return [dict(Restarted())]
