"""The review list fills itself: every question once, alike ones together, masked, and gone when its time is over."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.conversations.holding import HoldingAct
from bot.conversations.retention import ConversationRetention
from bot.errors import Conflict, InvalidInput, NotFound
from bot.learning.gathering import Gatherer
from bot.learning.model import Cause, Stage
from bot.learning.repository import Wanted
from bot.learning.retention import LearningRetention
from bot.learning.tables import GroupRow, QuestionRow
from bot.store.audit import Wanted as WantedActs
from bot.store.trail import Trail
from tests.bot.learning.conftest import World

PANDA, PANDAS = "大熊猫可以在家里养吗", "大熊猫可以在家里面养吗"
OTHER = "火星上的房子怎么过户"


def counted(world: World, table: type[QuestionRow] | type[GroupRow]) -> int:
    with world.store.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_alike_questions_are_one_group_and_others_another(world: World) -> None:
    for text in (PANDA, OTHER, PANDAS, PANDA):
        world.asks(text)
    assert world.listen() == 4
    first, second = world.groups()
    assert (first.size, second.size) == (3, 1)
    assert first.title == PANDA
    assert first.wordings == [PANDA, PANDAS]
    assert first.causes == {"没答上": 3}
    assert second.questions[0].said == f"对“{OTHER[:10]}”的回答"


def test_a_question_is_kept_once_however_often_it_is_heard(world: World) -> None:
    conversation = world.asks(PANDA)
    assert [world.listen() for _ in range(3)] == [1, 0, 0]
    world.asks("谢谢", "smalltalk", conversation)
    assert world.listen() == 0
    assert counted(world, QuestionRow) == 1
    assert world.groups()[0].size == 1


def test_several_workers_keep_it_once(world: World) -> None:
    for number in range(8):
        world.asks(f"{PANDA}{'呀' * number}")
    workers = [Gatherer(world.store, lambda: world.encoder) for _ in range(4)]
    threads = [threading.Thread(target=each.refresh, args=(world.clock.now(),)) for each in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted(world, QuestionRow) == 8
    assert sum(group.size for group in world.groups()) == 8


def test_what_a_person_answers_later_is_added(world: World) -> None:
    conversation = world.asks(PANDA)
    world.listen()
    world.moves(conversation, HoldingAct.STEP_IN)
    world.person_says(conversation, "不可以，大熊猫是国家一级保护动物。")
    assert world.listen() == 0
    group = world.only_group()
    assert group.answers == [("不可以，大熊猫是国家一级保护动物。", "王敏")]


def test_a_choice_not_taken_comes_once_the_conversation_is_silent(world: World) -> None:
    world.asks("证怎么办", "clarify", candidates=[("YS000001", "第1号许可证核发")])
    assert world.listen() == 0
    world.clock.advance(timedelta(minutes=30))
    assert world.listen() == 1
    group = world.only_group()
    assert group.questions[0].cause is Cause.UNCLEAR
    assert group.suggested == [("YS000001", "第1号许可证核发")]


def test_more_conversations_than_a_batch_at_the_same_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.learning.gathering.BATCH", 3)
    monkeypatch.setattr(world.clock, "advance", lambda _by: None)
    for number in range(8):
        world.asks(f"{number}号星球的居住证怎么办")
    assert world.listen() == 8


def test_a_backlog_is_taken_in_round_by_round(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.learning.gathering.BATCH", 2)
    monkeypatch.setattr("bot.learning.gathering.MOST_NEW", 3)
    for number in range(10):
        world.asks(f"{number}号星球的居住证怎么办")
    assert [world.listen() for _ in range(4)] == [4, 4, 2, 0]


def test_what_is_like_a_dismissed_group_stays_off_the_list(world: World) -> None:
    world.asks(PANDA)
    group = world.only_group()
    world.reviewing.dismiss(group.id, group.version, "不归政务服务", world.editor)
    world.asks(PANDAS)
    assert world.listen() == 1
    assert world.groups() == []
    [dismissed] = world.groups(Stage.DISMISSED)
    assert (dismissed.size, dismissed.reason, dismissed.decided_by) == (2, "不归政务服务", "lin")
    [act] = Trail(world.store).page(WantedActs(action="learn.")).entries
    assert (act.actor, act.action, act.subject) == ("lin", "learn.dismiss", f"learn:{group.id}")


def test_what_comes_after_a_publication_is_news(world: World) -> None:
    world.asks(PANDA)
    group = world.only_group()
    with world.store.write() as work:
        row = work.session.get_one(GroupRow, group.id)
        row.stage, row.decided_at = Stage.DONE, world.clock.now()
    world.clock.advance(timedelta(minutes=1))
    world.asks(PANDA)
    world.listen()
    assert [each.size for each in world.groups()] == [1]
    assert [each.size for each in world.groups(Stage.DONE)] == [1]


def test_two_editors_decide_on_one_group_and_one_is_told(world: World) -> None:
    world.asks(PANDA)
    group = world.only_group()
    world.reviewing.dismiss(group.id, group.version, "不归政务服务", world.editor)
    with pytest.raises(Conflict, match="别人处理过"):
        world.reviewing.dismiss(group.id, group.version, "重复", world.other)
    again = world.reviewing.group(group.id)
    world.reviewing.reopen(group.id, again.version, world.other)
    assert [each.id for each in world.groups()] == [group.id]


def test_a_reason_is_needed_and_bounded(world: World) -> None:
    world.asks(PANDA)
    group = world.only_group()
    for reason in ("", "  ", "长" * 201):
        with pytest.raises(InvalidInput):
            world.reviewing.dismiss(group.id, group.version, reason, world.editor)
    with pytest.raises(NotFound):
        world.reviewing.dismiss(group.id + 1, 0, "没有", world.editor)


def test_the_list_is_filtered_ordered_and_paged(world: World) -> None:
    world.asks(PANDA)
    world.asks(PANDA)
    answered = world.asks(OTHER, "answered", matter="YS000001")
    world.asks("答非所问", "unknown", answered)
    world.listen()
    corrected = world.reviewing.page(Wanted(Stage.OPEN, "size", 1, Cause.CORRECTED))
    assert [each.title for each in corrected.groups] == [OTHER]
    latest = world.reviewing.page(Wanted(Stage.OPEN, "latest", 1))
    assert [each.title for each in latest.groups] == [OTHER, PANDA]
    assert (latest.total, latest.pages, latest.stages) == (2, 1, {"open": 2})
    assert world.reviewing.page(Wanted(Stage.OPEN, "size", 2)).groups == []
    with pytest.raises(InvalidInput):
        world.reviewing.page(Wanted(Stage.OPEN, "size", 0))


def test_questions_go_when_their_time_is_over(world: World) -> None:
    world.asks(PANDA)
    world.listen()
    world.clock.advance(timedelta(days=20))
    world.asks(PANDAS)
    world.asks(OTHER)
    world.clock.advance(timedelta(days=20))
    world.listen()
    assert LearningRetention(world.store, world.clock, 0).tidy() == 0
    assert LearningRetention(world.store, world.clock, 30).tidy() == 1
    assert sorted(each.size for each in world.groups()) == [1, 2]
    assert [len(each.questions) for each in world.groups()] == [1, 1]
    assert LearningRetention(world.store, world.clock, 10).tidy() == 2
    assert (counted(world, QuestionRow), counted(world, GroupRow)) == (0, 0)


def test_a_conversation_that_was_cleared_leaves_its_question_to_its_own_time(world: World) -> None:
    world.asks(PANDA)
    world.listen()
    world.clock.advance(timedelta(days=2))
    assert ConversationRetention(world.store, world.clock, 1).tidy() == 1
    assert world.listen() == 0
    assert counted(world, QuestionRow) == 1


def test_another_encoder_begins_groups_of_its_own(world: World) -> None:
    from tests.bot.hashing_encoder import HashingEncoder

    world.asks(PANDA)
    world.listen()
    world.encoder = HashingEncoder(128)
    world.asks(PANDA)
    world.listen()
    assert [each.size for each in world.groups()] == [1, 1]
