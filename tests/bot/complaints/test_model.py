"""Who may do what when: the table as a whole, and any sequence of acts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.clock import ZONE
from bot.complaints.model import NEEDS_REASON, RULES, Act, Actor, Party, Standing, State, acts_open_to, after
from bot.errors import Conflict, Forbidden, InvalidInput, WenbanError

FILED = datetime(2026, 11, 20, 10, 0, tzinfo=ZONE)
UNIT, OTHER = "甲局", "乙局"
ACTORS = [Actor(party, party.value, UNIT if party is Party.UNIT else None) for party in Party]


def standing(state: State, **changes: object) -> Standing:
    due = {"due_at": FILED + timedelta(days=10), "return_until": FILED + timedelta(days=2)}
    return replace(Standing(state, 3, UNIT, FILED, **due), **changes)  # type: ignore[arg-type]


@given(st.sampled_from(State), st.sampled_from(Act), st.sampled_from(ACTORS), st.booleans(), st.integers(0, 60 * 24))
def test_an_act_is_done_exactly_where_its_rule_allows_it(
    state: State, act: Act, actor: Actor, asked: bool, minutes: int
) -> None:
    now = FILED + timedelta(minutes=minutes)
    before = standing(state, extension_asked=asked)
    rule = RULES[act]
    try:
        reached = after(before, act, actor, 3, now, reason="因为")
    except Forbidden:
        assert actor.party not in rule.by
    except Conflict:
        in_time = act not in {Act.CORRECT, Act.WITHDRAW} or minutes <= 10
        extension = (
            asked if act in {Act.GRANT_EXTENSION, Act.REFUSE_EXTENSION} else not asked or act is not Act.ASK_EXTENSION
        )
        assert state not in rule.before or not in_time or not extension
    else:
        assert actor.party in rule.by
        assert state in rule.before
        assert reached == (rule.to or state)


@given(st.lists(st.tuples(st.sampled_from(Act), st.sampled_from(ACTORS)), max_size=30))
@settings(max_examples=200)
def test_no_sequence_of_acts_leaves_the_table(steps: list[tuple[Act, Actor]]) -> None:
    current = standing(State.FILED)
    for act, actor in steps:
        try:
            state = after(current, act, actor, current.version, FILED + timedelta(minutes=5), reason="因为")
        except WenbanError:
            continue
        current = replace(current, state=state, version=current.version + 1)
        if state is State.WITHDRAWN:  # taken back is the end
            assert all(not acts_open_to(current, each) for each in ACTORS)
    assert current.state in State


def test_every_state_can_be_reached_and_only_withdrawal_is_final() -> None:
    reached = {State.FILED} | {rule.to for rule in RULES.values() if rule.to}
    assert reached == set(State)
    left = {state for rule in RULES.values() for state in rule.before}
    assert set(State) - left == {State.WITHDRAWN}


@pytest.mark.parametrize("act", sorted(NEEDS_REASON))
def test_some_acts_need_words(act: Act) -> None:
    rule = RULES[act]
    actor = next(each for each in ACTORS if each.party in rule.by)
    before = standing(min(rule.before), extension_asked=act is Act.REFUSE_EXTENSION)
    with pytest.raises(InvalidInput):
        after(before, act, actor, 3, FILED, reason="  ")


def test_a_unit_handles_only_its_own() -> None:
    with pytest.raises(Forbidden):
        after(standing(State.DISPATCHED), Act.SIGN, Actor(Party.UNIT, "li", OTHER), 3, FILED)
    with pytest.raises(Forbidden):
        after(standing(State.DISPATCHED, department=None), Act.SIGN, Actor(Party.UNIT, "li", None), 3, FILED)


def test_a_version_not_seen_is_refused_before_all_else() -> None:
    with pytest.raises(Conflict) as refused:
        after(standing(State.CLOSED), Act.SIGN, Actor(Party.UNIT, "li", UNIT), 2, FILED)
    assert refused.value.code == "complaint_changed"


@pytest.mark.parametrize(("changes", "days"), [({"returns": 1}, 0), ({}, 3)])
def test_a_return_is_for_once_and_within_its_limit(changes: dict[str, int], days: int) -> None:
    before, now = standing(State.DISPATCHED, **changes), FILED + timedelta(days=days)
    with pytest.raises(Conflict) as refused:
        after(before, Act.RETURN, Actor(Party.UNIT, "li", UNIT), 3, now, reason="不归我们")
    assert refused.value.code == "complaint_return_spent"


def test_an_extension_is_asked_before_the_due_day_ends() -> None:
    clerk = Actor(Party.UNIT, "li", UNIT)
    due = FILED + timedelta(days=10)
    assert after(standing(State.SIGNED), Act.ASK_EXTENSION, clerk, 3, due - timedelta(minutes=1), reason="要鉴定")
    with pytest.raises(Conflict):
        after(standing(State.SIGNED), Act.ASK_EXTENSION, clerk, 3, due, reason="要鉴定")
