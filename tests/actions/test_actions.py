"""Rasa's calls through rasa-sdk's executor: one reply each, with the focus beside it."""

from __future__ import annotations

from typing import Any

import pytest
from rasa_sdk.executor import ActionExecutor

from actions import ACTIONS, register
from actions.base import unpacked
from bot.answers.phrases import Phrases
from bot.clock import FixedClock
from bot.conversations.assistant import Assistant
from bot.conversations.delivery import Deliveries
from bot.conversations.model import Focus
from bot.conversations.service import ConversationService
from bot.settings import Settings
from bot.store import Store
from bot.workdays import WorkCalendar
from tests.bot.conversations.city import City, PairFinder


@pytest.fixture
def conversations(store: Store, clock: FixedClock) -> ConversationService:
    return ConversationService(store, clock, Settings())


@pytest.fixture
def deliveries() -> Deliveries:
    return Deliveries()


@pytest.fixture
def executor(conversations: ConversationService, clock: FixedClock, deliveries: Deliveries) -> ActionExecutor:
    finder = PairFinder()
    assistant = Assistant(lambda: finder, City(), WorkCalendar(), Phrases("云山市", "12345"))
    return register(ActionExecutor(), assistant, conversations, clock, deliveries)


def call(action: str, sender: str, text: str, intent: str, confidence: float = 0.95, **message: Any) -> dict[str, Any]:
    return {
        "next_action": action,
        "sender_id": sender,
        "domain": {},
        "version": "3.6.21",
        "tracker": {
            "sender_id": sender,
            "slots": {},
            "events": [],
            "latest_message": {
                "text": text,
                "intent": {"name": intent, "confidence": confidence},
                "entities": [],
                "metadata": {"turn_id": "t1"},
                **message,
            },
        },
    }


async def run(executor: ActionExecutor, body: dict[str, Any]) -> dict[str, Any]:
    result = await executor.run(body)
    assert result is not None
    [response] = result.responses
    return {"events": result.events, **response["custom"]}


def test_every_action_of_the_contract_is_there(executor: ActionExecutor) -> None:
    assert {a.action_name for a in ACTIONS} == {
        "action_ask_matter",
        "action_smalltalk",
        "action_emergency",
        "action_handoff",
        "action_case",
        "action_complaint",
        "action_restart",
    }
    assert set(executor.actions) == {a.action_name for a in ACTIONS}


async def test_a_question_is_answered_with_the_facets_rasa_heard(
    executor: ActionExecutor, conversations: ConversationService
) -> None:
    turn = conversations.begin(None, None, "身份证丢了补办呗", "api")
    facets = [{"name": "fees", "confidence": 0.98}, {"name": "materials", "confidence": 0.05}]
    payload = await run(executor, call("action_ask_matter", turn.sender, turn.text, "ask_guide", facets=facets))
    reply, focus = unpacked(payload)
    assert (reply.matter, reply.facets) == ("YS00103", ("fees",))
    assert (focus.matter, focus.turns) == ("YS00103", ("身份证丢了补办呗",))
    assert payload["turn_id"] == "t1"


async def test_a_turn_that_waits_here_gets_the_answer_and_rasa_only_that_it_was_given(
    executor: ActionExecutor, conversations: ConversationService, deliveries: Deliveries
) -> None:
    turn = conversations.begin(None, None, "身份证丢了补办", "api")
    body = call("action_ask_matter", turn.sender, turn.text, "ask_guide")
    with deliveries.awaiting("t1") as made:
        assert await run(executor, body) == {"events": [], "delivered": True}
        first = made.result()
        assert (first[0].matter, first[1].matter) == ("YS00103", "YS00103")
        assert await run(executor, body) == {"events": [], "delivered": True}  # asked again, the first answer stays
        assert made.result() is first
    assert (await run(executor, body))["matter"] == "YS00103"  # nobody waits any more


async def test_the_focus_of_the_conversation_is_used(
    executor: ActionExecutor, conversations: ConversationService
) -> None:
    turn = conversations.begin(None, None, "那多少钱", "api")
    conversations.record_focus(turn.conversation_id, Focus(matter="YS00103", turns=("身份证丢了补办",)))
    payload = await run(executor, call("action_ask_matter", turn.sender, "那多少钱", "ask_guide"))
    assert (payload["matter"], payload["facets"]) == ("YS00103", ["fees"])


@pytest.mark.parametrize(
    ("action", "text", "intent", "outcome"),
    [
        ("action_smalltalk", "晚上好呀小助手", "greet", "smalltalk"),
        ("action_emergency", "食堂好几十个学生吐了", "emergency", "handoff"),
        ("action_handoff", "来个管事的", "talk_to_human", "handoff"),
        ("action_case", "我那个弄得怎样了", "query_case", "case"),
        ("action_complaint", "隔壁天天跳大神", "file_complaint", "complaint"),
        ("action_restart", "重新开始", "restart", "smalltalk"),
        ("action_smalltalk", "居民身份证丢失补领", "smalltalk", "answered"),
        ("action_complaint", "身份证丢了补办", "file_complaint", "answered"),
        ("action_complaint", "前天晚上的事", "give_detail", "unknown"),
    ],
)
async def test_skills(executor: ActionExecutor, action: str, text: str, intent: str, outcome: str) -> None:
    assert (await run(executor, call(action, "nobody.0", text, intent)))["outcome"] == outcome


async def test_restart_also_clears_rasas_session(executor: ActionExecutor) -> None:
    payload = await run(executor, call("action_restart", "nobody.0", "重新开始", "restart"))
    assert [event["event"] for event in payload["events"]] == ["restart"]
    assert payload["focus"] == Focus().to_dict()


async def test_a_policy_that_picks_an_action_speaks_for_its_intent(executor: ActionExecutor) -> None:
    payload = await run(executor, call("action_handoff", "nobody.0", "嗯嗯我不会弄呀", "nlu_fallback", 0.9))
    assert payload["outcome"] == "handoff"
