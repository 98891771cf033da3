"""What is sealed is shown to whoever handles it, on record; and goes when its time is over."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.attachments.service import AttachmentService
from bot.complaints.filing import Asker, Filing
from bot.complaints.handling import Step
from bot.complaints.model import Act, Actor, Party
from bot.complaints.retention import CLEARED, ComplaintRetention
from bot.complaints.revealing import Revealing
from bot.complaints.tables import ComplaintRow
from bot.errors import Conflict, Forbidden, InvalidInput, NotFound
from bot.store.audit import AuditRow
from tests.bot.complaints.conftest import Office

SAID = Filing("人民路药材公司门口水管爆了，我电话13812345678", contact="13812345678", location="人民路药材公司门口")
ASKER = Asker("web", "10.0.0.1", conversation_id="c1")


def filed(office: Office) -> tuple[str, str, str]:
    shown = office.service.file(SAID, ASKER)
    assert shown.department is not None
    return shown.number, shown.query_code, shown.department


def test_the_unit_that_holds_it_sees_the_text_in_full_and_the_reason_is_kept(lite: Office) -> None:
    number, _, department = filed(lite)
    revealing = Revealing(lite.store, lite.service._writer)
    own = Actor(Party.UNIT, "clerk", department)
    shown = revealing.reveal(number, own, "核实地址")
    assert (shown.text, shown.contact) == (SAID.text, SAID.contact)
    with lite.store.read() as session:
        row = session.scalars(select(AuditRow).where(AuditRow.action == "complaint.reveal")).one()
    assert (row.actor, row.details["reason"]) == ("clerk", "核实地址")
    with pytest.raises(NotFound):
        revealing.reveal(number, Actor(Party.UNIT, "other", "另一个局"), "好奇")
    with pytest.raises(InvalidInput):
        revealing.reveal(number, own, " ")
    with pytest.raises(Forbidden):
        revealing.reveal(number, Actor(Party.CITIZEN, "citizen"), "我的")


def test_what_was_kept_long_enough_goes_and_its_figures_stay(office: Office, tmp_path: Path) -> None:
    number, code, department = filed(office)
    unit, desk = Actor(Party.UNIT, "clerk", department), Actor(Party.OPERATOR, "min")
    steps = [(Act.SIGN, unit, ""), (Act.ANSWER, unit, "已经修好，给13812345678打过电话"), (Act.REVIEW, desk, "")]
    for act, actor, note in [*steps, (Act.CLOSE, desk, "")]:
        version = office.service.look_up(number, code, ASKER).version
        office.handling.act(Step(number, act, version, note), actor)
    retention = ComplaintRetention(
        office.store, office.clock, AttachmentService(office.store, office.clock, tmp_path), 30
    )
    office.clock.advance(timedelta(days=29))
    assert retention.tidy() == 0
    office.clock.advance(timedelta(days=2))
    assert retention.tidy() == 1
    assert retention.tidy() == 0
    with office.store.read() as session:
        row = session.scalars(select(ComplaintRow).where(ComplaintRow.number == number)).one()
        assert (row.text, row.answer, row.location, row.conversation_id) == (CLEARED, None, None, None)
        assert (row.department, row.state) == (department, "closed")
    with pytest.raises(NotFound):
        office.service.look_up(number, code, ASKER)
    with pytest.raises(Conflict):
        Revealing(office.store, office.service._writer).reveal(number, unit, "复核")


def test_nothing_goes_where_everything_is_kept(lite: Office, tmp_path: Path) -> None:
    retention = ComplaintRetention(lite.store, lite.clock, AttachmentService(lite.store, lite.clock, tmp_path), 0)
    filed(lite)
    lite.clock.advance(timedelta(days=10_000))
    assert retention.tidy() == 0
