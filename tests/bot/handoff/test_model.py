"""Queues, estimates and the watch over operators, as rules; the desk's file."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import ZONE
from bot.errors import ConfigurationError
from bot.handoff.desk import Desk, load_desk
from bot.handoff.model import (
    Call,
    Canned,
    Step,
    calls_for_person,
    estimate,
    in_order,
    is_late,
    moved_up,
    position,
    watched,
)

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=ZONE)
LIMITS = load_desk().limits
CALLS = st.lists(
    st.builds(
        Call,
        id=st.integers(1, 500),
        queue=st.just("general"),
        urgent=st.booleans(),
        asked_at=st.integers(0, 600).map(lambda s: NOW - timedelta(seconds=s)),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda call: call.id,
)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@given(CALLS)
def test_danger_goes_first_and_among_equals_who_asked_first(calls: list[Call]) -> None:
    order = in_order(calls)
    assert sorted(c.id for c in order) == sorted(c.id for c in calls)
    for first, second in pairwise(order):
        assert (not first.urgent, first.asked_at) <= (not second.urgent, second.asked_at)
    assert [position(calls, call.id) for call in order] == list(range(1, len(order) + 1))


@given(st.integers(1, 200), st.integers(0, 50), st.integers(1, 60), st.integers(1, 10))
def test_an_estimate_grows_with_the_queue_and_never_promises_nothing(
    place: int, operators: int, each: int, parallel: int
) -> None:
    wait = estimate(place, operators, minutes(each), parallel)
    assert wait >= minutes(1)
    assert estimate(place + 1, operators, minutes(each), parallel) >= wait
    assert estimate(place, operators + 1, minutes(each), parallel) <= wait


@pytest.mark.parametrize(
    ("told", "place", "hears"),
    [(None, 9, True), (3, 2, True), (5, 5, False), (2, 3, False), (100, 99, False), (100, 80, True), (6, 5, True)],
)
def test_a_long_queue_is_not_told_at_every_taking(told: int | None, place: int, hears: bool) -> None:
    assert moved_up(told, place) is hears


def test_the_first_word_is_owed_within_three_minutes() -> None:
    call = Call(1, "general", False, NOW)
    assert not is_late(call, LIMITS, NOW + minutes(3))
    assert is_late(call, LIMITS, NOW + minutes(3.1))
    assert not is_late(Call(1, "general", False, NOW, NOW, NOW + minutes(2)), LIMITS, NOW + minutes(9))


def test_a_silent_operator_is_asked_once_and_then_loses_the_conversation() -> None:
    silent = Call(1, "general", False, NOW, NOW, None, NOW)
    assert watched(silent, LIMITS, None, NOW + minutes(7.9)) is Step.NOTHING
    assert watched(silent, LIMITS, None, NOW + minutes(8)) is Step.REMIND
    asked = Call(1, "general", False, NOW, NOW, None, NOW, NOW + minutes(8))
    assert watched(asked, LIMITS, None, NOW + minutes(11.9)) is Step.NOTHING
    assert watched(asked, LIMITS, None, NOW + minutes(12)) is Step.REQUEUE
    answered = Call(1, "general", False, NOW, NOW, NOW, None)
    assert watched(answered, LIMITS, None, NOW + minutes(500)) is Step.NOTHING


def test_an_operator_who_is_gone_loses_the_conversation() -> None:
    answered = Call(1, "general", False, NOW, NOW, NOW, None)
    assert watched(answered, LIMITS, NOW, NOW + minutes(1.9)) is Step.NOTHING
    assert watched(answered, LIMITS, NOW, NOW + minutes(2)) is Step.REQUEUE


@pytest.mark.parametrize(
    ("outcomes", "called"),
    [
        (["unknown", "unknown"], True),
        (["error", "unknown"], True),
        (["unknown"], False),
        (["unknown", "answered"], False),
        (["unknown", "answered", "unknown"], False),
        ([], False),
    ],
)
def test_two_failures_in_a_row_call_a_person(outcomes: list[str], called: bool) -> None:
    assert calls_for_person(outcomes) is called


def test_canned_replies_are_filled() -> None:
    assert Canned("问候", "{name}您好").filled() == "您好"
    canned = Canned("问候", "{name}您好，{city}坐席{operator}。编号 {number}。")
    told = canned.filled(city="云山市", operator="王敏", name="李女士")
    assert told == "李女士您好，云山市坐席王敏。编号 〔编号〕。"


def test_a_citys_own_desk(tmp_path: Path) -> None:
    own = tmp_path / "desk.toml"
    own.write_text(
        """
[limits]
parallel = 3
first_reply_minutes = 3
silent_minutes = 5
give_up_minutes = 2
gone_minutes = 1
alone_minutes = 5
expected_minutes = 6
message_hours = 2
[hours.all]
working_days = ["00:00-24:00"]
days_off = ["00:00-24:00"]
[[queue]]
name = "general"
hours = "all"
[[queue]]
name = "civil"
title = "民政"
hours = "all"
departments = ["云山市民政局"]
[[rule]]
department = "云山市民政局"
outcome = ["unknown", "clarify"]
""",
        "utf-8",
    )
    desk = load_desk(own)
    assert desk.queue_for("云山市民政局").title == "民政"
    assert desk.queue_for("云山市公安局").name == desk.queue("gone").name == "general"
    assert desk.called_by_rule(None, "云山市民政局", "unknown")
    assert not desk.called_by_rule(None, "云山市民政局", "answered")
    assert not desk.called_by_rule(None, None, "unknown")


@pytest.mark.parametrize(
    "fault",
    [
        "",
        "[limits]\nparallel = 1",
        "[[queue]]\nname = 'a'\nhours = 'none'",
        "nonsense = 1",
        "[limits",
        "[[rule]]\nx = 1",
        "[[canned]]\ntitle = '问候'\ntext = '您好，{naem}'",
    ],
)
def test_a_faulty_desk_file_is_named(tmp_path: Path, fault: str) -> None:
    own = tmp_path / "desk.toml"
    own.write_text(fault, "utf-8")
    with pytest.raises(ConfigurationError) as refusal:
        load_desk(own)
    assert str(own) in refusal.value.message
    assert "docs/desk.md" in refusal.value.remedy


def test_the_shipped_desk_is_whole() -> None:
    desk = load_desk()
    assert isinstance(desk, Desk)
    assert desk.limits.first_reply == minutes(3)
    assert desk.canned
