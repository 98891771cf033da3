"""Questions about matters, follow-ups, choices and corrections: whatever the index should look at first."""

from __future__ import annotations

from actions.base import AssistantAction


class ActionAskMatter(AssistantAction):
    action_name = "action_ask_matter"
