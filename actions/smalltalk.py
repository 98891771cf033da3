"""Greetings, thanks, small talk, abuse and attempts at injection: a short civil sentence."""

from __future__ import annotations

from actions.base import AssistantAction


class ActionSmalltalk(AssistantAction):
    action_name = "action_smalltalk"
    intents = (
        "smalltalk",
        "greet",
        "thanks",
        "goodbye",
        "ask_capability",
        "abuse",
        "prompt_injection",
        "satisfaction",
        "affirm",
        "deny",
        "repeat",
    )
