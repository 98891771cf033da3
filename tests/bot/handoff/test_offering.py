"""Who is asked first: skill, load, turn; and what happens when he lets it pass."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.handoff.offering import Candidate, fairest
from tests.bot.handoff.conftest import World

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
moments = st.none() | st.integers(0, 600).map(lambda minutes: NOON + timedelta(minutes=minutes))
candidates = st.lists(
    st.builds(Candidate, st.integers(1, 50), st.integers(0, 6), moments), max_size=8, unique_by=lambda each: each.id
)


@given(candidates, st.sets(st.integers(1, 50)), st.integers(1, 6))
def test_the_chosen_one_has_the_fewest_and_waited_longest(
    there: list[Candidate], passed: set[int], parallel: int
) -> None:
    chosen = fairest(there, passed, parallel)
    free = [each for each in there if each.load < parallel and each.id not in passed]
    if not free:
        assert chosen is None
        return
    [one] = [each for each in there if each.id == chosen]
    assert one in free
    assert one.load == min(each.load for each in free)
    never = datetime.min.replace(tzinfo=UTC)
    rivals = [each.last_taken or never for each in free if each.load == one.load]
    assert (one.last_taken or never) == min(rivals)


def test_calls_are_spread_over_the_operators_in_turn(world: World) -> None:
    operators = [world.operator(f"op-{i}", f"坐席{i}") for i in range(3)]
    for i in range(6):
        world.call(world.conversation(f"问题{i}"))
    lists = world.reading.lists(operators[0])
    wanted = [each.wanted_id for each in (*lists.offered, *lists.waiting)]
    assert sorted(map(str, wanted)) == sorted(str(each.id) for each in operators * 2)


def test_an_offer_that_passes_goes_to_the_next_and_then_to_everybody(world: World) -> None:
    first, second = world.operator("min", "王敏"), world.operator("jun", "李军")
    conversation = world.conversation()
    world.call(conversation)

    def wanted() -> int | None:
        found = world.reading.thread(conversation).handoff
        assert found is not None
        return found.wanted_id

    def later() -> None:
        world.clock.advance(timedelta(seconds=31))
        for operator in (first, second):
            world.presences.beat(operator)
        world.watch.run(world.clock.now())

    assert wanted() == first.id
    later()
    assert wanted() == second.id
    later()
    assert wanted() is None
    version = world.reading.thread(conversation).handoff
    later()
    assert world.reading.thread(conversation).handoff == version  # nobody is left to ask: nothing is written
    third = world.operator("hong", "赵红")
    world.watch.run(world.clock.now())
    assert wanted() == third.id
    world.operating.take(world.handoff(conversation), first)  # whoever is quicker may take it all the same


def test_where_nobody_is_free_looking_again_changes_nothing(world: World) -> None:
    world.operator("min", "王敏")
    for i in range(6):
        world.call(world.conversation(f"问题{i}"))
    world.watch.run(world.clock.now())
    before = world.reading.snapshots()
    world.watch.run(world.clock.now())
    assert world.reading.snapshots() == before
