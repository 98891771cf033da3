"""Files the complaint about an overdue case: what the cases ask for, said in words and done by the complaints."""

from __future__ import annotations

from collections.abc import Callable

from bot.answers.phrases import Phrases
from bot.cases.ports import DelayComplaint, FileComplaint, Filed
from bot.complaints.filing import Asker, Filing
from bot.complaints.model import Kind
from bot.complaints.service import ComplaintService

CHANNEL = "case"


def files_delays(complaints: Callable[[], ComplaintService], phrases: Phrases) -> FileComplaint:
    """Files by ``complaints``, which is called at the first request: its models take a second to load."""

    def file(delay: DelayComplaint, contact: str | None) -> Filed:
        filing = Filing(words(delay, phrases), Kind.COMPLAINT, contact=contact, case_number=delay.case_number)
        asker = Asker(CHANNEL, CHANNEL, delay.citizen, delay.conversation_id)
        shown = complaints().file(filing, asker, delay.receipt)
        return Filed(shown.number, shown.query_code, shown.department)

    return file


def words(delay: DelayComplaint, phrases: Phrases) -> str:
    """The complaint's text: the same for the same request."""
    unit = delay.unit or delay.department
    if delay.person:
        unit = phrases.say("case.delay_unit_person", unit=unit, person=delay.person)
    late = "delay_late" if delay.late_days else "delay_late_days"
    return phrases.say(
        "case.delay_text",
        matter=delay.matter_name,
        number=delay.case_number,
        department=delay.department,
        due=phrases.day(delay.due, delay.requested_at.date()),
        late=phrases.say(f"case.{late}", days=delay.late_days),
        unit=unit,
    )
