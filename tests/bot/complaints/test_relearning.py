"""Decisions of people are kept as lessons; learning from them is measured, done, and undone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot.complaints.deciding import Decider
from bot.complaints.filing import Asker, Filing
from bot.complaints.handling import Step
from bot.complaints.lessons import Said, concluded, decided
from bot.complaints.model import Act, Actor, Party
from bot.complaints.relearning import LEAST_LESSONS, Relearning, Remembered
from bot.complaints.retention import CLEARED
from bot.complaints.tables import ComplaintRow
from bot.errors import Conflict
from bot.store import Store
from bot.store.audit import AuditRow
from tests.bot.complaints.conftest import CATALOGUE, Office

FORESTS = "云山市林业局"
ANYBODY = Asker("api", "10.0.0.1")
DESK = Actor(Party.OPERATOR, "wang")


def school_matters() -> list[str]:
    """Complaints of a unit that is not in the list: by a custom of this city the forestry bureau takes them."""
    rows = map(json.loads, (CATALOGUE / "complaints" / "train.jsonl").read_text("utf-8").splitlines())
    texts = [row["text"] for row in rows if row["department"] == "云山市教育局" and row["duplicate_of"] is None]
    return [text for text in texts if len(text) < 60][: LEAST_LESSONS + 6]


def triaged(office: Office, text: str, unit: str) -> str:
    """Files ``text`` and sends it to ``unit``, by an operator, after a return where it was sent without asking."""
    shown = office.service.file(Filing(text), ANYBODY)
    version = shown.version
    if shown.department is not None:
        clerk = Actor(Party.UNIT, "li", shown.department)
        version = office.handling.act(Step(shown.number, Act.RETURN, version, note="不归我们管"), clerk).version
    office.handling.act(Step(shown.number, Act.DISPATCH, version, department=unit), DESK)
    return shown.number


def relearning(office: Office, decider: Decider) -> Relearning:
    return Relearning(office.store, office.clock, decider, decider.encoder.identity)


def audited(store: Store) -> list[str]:
    with store.read() as session:
        found = session.scalars(select(AuditRow.action).where(AuditRow.action.like("complaints.relearn%")))
        return list(found)


def test_what_acts_tell_of_the_right_unit() -> None:
    sent, again = Said("dispatch", "system", "A"), Said("dispatch", "wang", "B")
    assert concluded([sent]) == (None, frozenset(), False)
    assert concluded([sent, Said("sign", "li", "A")]) == ("A", frozenset(), False)
    assert concluded([sent, Said("return", "li", "A")]) == (None, frozenset({"A"}), True)
    assert concluded([sent, Said("return", "li", "A"), again]) == ("B", frozenset({"A"}), True)
    assert concluded([sent, Said("return", "li", "A"), Said("dispatch", "wang", "A")]) == ("A", frozenset(), True)
    assert concluded([again, Said("take_back", "zhao", "B")]) == (None, frozenset(), True)
    assert concluded([again, Said("correct", "citizen", "B")]) == (None, frozenset(), False)


def test_a_custom_of_the_city_is_reported_learned_and_undone(office: Office, decider: Decider) -> None:
    texts = school_matters()
    for text in texts[:-1]:
        triaged(office, text, FORESTS)
    learning = relearning(office, decider)

    review = learning.review()

    assert (review.decisions, review.triaged) == (len(texts) - 1, len(texts) - 1)
    assert review.before.first < len(texts) // 2
    assert review.after.first > review.before.first + 10
    assert review.gains
    assert {each.after for each in review.otherwise if each.better} == {FORESTS}
    assert audited(office.store) == []

    remembered = Remembered(office.store, decider.encoder.identity)
    assert remembered.current() is None
    learning.apply("wang")
    memory = remembered.current()
    assert memory is not None
    vector = decider.encoder.encode_queries([texts[-1]])[0]
    before = decider.shares(texts[-1], None)
    assert memory.adjusted(before, vector)[FORESTS] > before[FORESTS]
    assert audited(office.store) == ["complaints.relearn"]

    assert learning.review().before == review.before
    assert learning.undo("zhao") == 1
    assert remembered.current() is None
    assert audited(office.store) == ["complaints.relearn", "complaints.relearn_undo"]
    with pytest.raises(Conflict, match="没有用着"):
        learning.undo("zhao")


def test_a_few_decisions_teach_nothing(lite: Office, decider: Decider) -> None:
    triaged(lite, school_matters()[0], FORESTS)
    learning = relearning(lite, decider)
    assert learning.review().before == learning.review().after
    with pytest.raises(Conflict) as refused:
        learning.apply("wang")
    assert refused.value.code == "relearning_gains_nothing"
    assert audited(lite.store) == []


def test_a_version_in_force_stays_as_it_was_made_while_decisions_go_on(lite: Office, decider: Decider) -> None:
    first = triaged(lite, school_matters()[0], FORESTS)
    until = lite.clock.now()
    lite.clock.advance(timedelta(hours=1))
    with lite.store.read() as session:
        version = session.scalars(select(ComplaintRow.version).where(ComplaintRow.number == first)).one()
    clerk = Actor(Party.UNIT, "li", FORESTS)
    lite.handling.act(Step(first, Act.RETURN, version, note="不归我们管"), clerk)
    with lite.store.read() as session:
        then = decided(session, decider.encoder.identity, until)
        now = decided(session, decider.encoder.identity, lite.clock.now())
    assert [each.lesson.right for each in then] == [FORESTS]
    assert [each.lesson.right for each in now] == [None]
    assert FORESTS in now[0].lesson.wrong


def test_a_cleared_complaint_teaches_nothing_more(lite: Office, decider: Decider) -> None:
    triaged(lite, school_matters()[0], FORESTS)
    with lite.store.write() as work:
        work.session.execute(update(ComplaintRow).values(text=CLEARED, encoder="", vector=b""))
    with lite.store.read() as session:
        assert decided(session, decider.encoder.identity, lite.clock.now()) == []
