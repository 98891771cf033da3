"""Complaints, and what became of them."""

from __future__ import annotations

from actions.base import AssistantAction


class ActionComplaint(AssistantAction):
    action_name = "action_complaint"
    intents = ("file_complaint", "complaint_followup", "give_detail")
