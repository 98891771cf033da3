"""Cases over HTTP, in conversations and behind the link of a notice, through a running gateway."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.clock import FixedClock
from bot.keys.model import Scope
from index.encoder import Encoder
from tests.bot.cases.examples import ACCEPTED, APPLIED, at, case, row, stage
from tests.gateway import Gateway, copied, running, settings_for

FINISHED = [
    APPLIED,
    ACCEPTED,
    stage("审查", "11-16 10:00", "11-19 09:00"),
    stage("决定", "11-19 09:00", "11-20 10:00", person="王强"),
]
LATE = row(number="YS2611020007", query_code="555666", promised_limit={"value": 2, "unit": "工作日"})


@pytest.fixture(scope="module")
def gateway(city: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Gateway]:
    home = copied(city, tmp_path_factory.mktemp("cases") / "home")
    with running(settings_for(home), encoder, FixedClock(at("11-20 12:00"))) as started:
        keeper = started.services.casework.keeper
        keeper.put(case(), "file", actor="test")
        keeper.put(case(**LATE), "file", actor="test")
        keeper.put(case(number="YS2611130099", stages=FINISHED, outcome="准予"), "file", actor="test")
        # the categories are encoded at the first complaint, which takes long on a busy machine
        started.services.complaints.decider.prepare()
        yield started


@pytest.fixture(scope="module")
def token(gateway: Gateway) -> str:
    made, _ = gateway.services.casework.keys.add("hall", [Scope.CASES_WRITE], actor="test")
    return made


def get(gateway: Gateway, number: str, code: str) -> httpx.Response:
    with gateway.client() as client:
        return client.get(f"/api/v1/cases/{number}", params={"code": code})


def put(gateway: Gateway, number: str, body: Any, token: str | None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with gateway.client() as client:
        return client.put(f"/api/v1/cases/{number}", json=body, headers=headers)


class TestAsking:
    def test_the_card_in_full(self, gateway: Gateway) -> None:
        response = get(gateway, "ys-261113-0042", "830271")
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"
        body = response.json()
        assert (body["number"], body["state"], body["next"]) == ("YS2611130042", "reviewing", "决定")
        assert [each["status"] for each in body["stages"]] == ["done", "done", "now", "todo", "todo"]
        assert (body["clock"]["used"], body["clock"]["left"], body["clock"]["due"]) == (4, 6, "2026-11-30")
        assert body["accepted_at"] == "2026-11-16T10:00:00+08:00"
        assert body["applicant"] == "王**"
        assert "还剩 6 个工作日" in body["text"]
        for secret in ("830271", "13900001234", "459900199003071239", "王小明"):
            assert secret not in response.text

    def test_unknown_number_and_wrong_code_are_byte_for_byte_the_same(self, gateway: Gateway) -> None:
        wrong, unknown = get(gateway, "YS2611130042", "000000"), get(gateway, "YS0000000000", "000000")
        assert (wrong.status_code, wrong.content) == (unknown.status_code, unknown.content)
        assert wrong.status_code == 404
        assert wrong.json()["error"] == "case_not_found"
        assert {k for k in wrong.headers if k != "date"} == {k for k in unknown.headers if k != "date"}

    def test_without_a_code_nothing_is_said(self, gateway: Gateway) -> None:
        with gateway.client() as client:
            response = client.get("/api/v1/cases/YS2611130042")
        assert (response.status_code, response.json()["error"]) == (422, "invalid_input")

    def test_repeated_failures_are_locked_with_the_time_to_wait(self, gateway: Gateway) -> None:
        codes = [get(gateway, "YS5555555555", "000000") for _ in range(6)]
        assert [each.status_code for each in codes] == [404] * 5 + [429]
        assert codes[-1].json()["error"] == "case_locked"
        assert 0 < int(codes[-1].headers["retry-after"]) <= 900


class TestWriting:
    def test_a_key_writes_and_the_same_again_changes_nothing(self, gateway: Gateway, token: str) -> None:
        body = row(number="YS2611200001")
        first = put(gateway, "YS2611200001", body, token)
        assert (first.status_code, first.json()) == (200, {"number": "YS2611200001", "taken": "added"})
        assert put(gateway, "YS2611200001", body, token).json()["taken"] == "unchanged"
        body["delivery"] = "邮寄"
        assert put(gateway, "YS2611200001", body, token).json()["taken"] == "changed"
        assert get(gateway, "YS2611200001", "830271").json()["delivery"] == "邮寄"

    @pytest.mark.parametrize("shown", [None, "wbk_" + "A" * 43, "x"])
    def test_without_a_key_nothing_is_written(self, gateway: Gateway, shown: str | None) -> None:
        response = put(gateway, "YS2611200002", row(number="YS2611200002"), shown)
        assert (response.status_code, response.json()["error"]) == (401, "key_unknown")
        assert get(gateway, "YS2611200002", "830271").status_code == 404

    def test_another_sources_case_is_a_stated_conflict(self, gateway: Gateway, token: str) -> None:
        response = put(gateway, "YS2611130042", row(delivery="邮寄"), token)
        assert (response.status_code, response.json()["error"]) == (409, "case_of_other_source")
        assert "file" in response.json()["message"]

    def test_every_fault_is_named(self, gateway: Gateway, token: str) -> None:
        body = row(number="YS2611200003", stages=[{"stage": "受理", "start": "昨天"}], outcome="也许")
        response = put(gateway, "YS2611200003", body, token)
        assert (response.status_code, response.json()["error"]) == (422, "case_faulty")
        assert [each["field"] for each in response.json()["details"]] == ["stages[0].start", "outcome"]

    def test_the_number_of_the_address_counts(self, gateway: Gateway, token: str) -> None:
        response = put(gateway, "YS2611200004", row(number="YS2611200005"), token)
        assert (response.status_code, response.json()["error"]) == (422, "case_number_differs")


class TestTalking:
    """Without Rasa: the gateway understands by itself."""

    def test_asked_for_number_then_code_and_shown(self, gateway: Gateway) -> None:
        first = gateway.say("我的件办得怎么样了")
        assert first["outcome"] == "case"
        assert "办件编号" in first["messages"][0]["text"]
        talk = first["conversation_id"]
        second = gateway.say("ＹＳ－２６１１１３－００４２", talk)
        assert "查询码" in second["messages"][0]["text"]
        third = gateway.say("后四位是 一二三九", talk)
        assert third["outcome"] == "case"
        [card] = [message for message in third["messages"] if message["kind"] == "case"]
        assert card["case"]["number"] == "YS2611130042"
        assert "正在审查" in card["text"]
        assert "情况" not in gateway.say("谢谢", talk)["messages"][0]["text"]

    def test_number_and_code_in_one_go(self, gateway: Gateway) -> None:
        reply = gateway.say("帮我查一下办件YS2611130042，查询码830271")
        assert reply["messages"][0]["case"]["state"] == "reviewing"

    def test_an_interrupting_question_is_answered_and_led_back(self, gateway: Gateway) -> None:
        talk = gateway.say("查进度")["conversation_id"]
        gateway.say("YS2611130042", talk)
        aside = gateway.say("身份证丢了补办要多少钱", talk)
        assert aside["outcome"] in ("answered", "clarify")
        if aside["outcome"] == "clarify":
            aside = gateway.say("1", talk)
        assert "YS2611130042" in aside["messages"][-1]["text"] or any(
            "YS2611130042" in message["text"] for message in aside["messages"]
        )
        assert gateway.say("830271", talk)["messages"][0]["case"]["number"] == "YS2611130042"

    def test_it_can_be_called_off(self, gateway: Gateway) -> None:
        talk = gateway.say("查进度")["conversation_id"]
        assert "不查了" in gateway.say("算了", talk)["messages"][0]["text"]
        assert gateway.say("830271", talk)["outcome"] != "case"

    def test_a_wrong_code_says_nothing_about_the_case(self, gateway: Gateway) -> None:
        said = []
        for number in ("YS2611130042", "YS7777777777"):
            talk = gateway.say(number)["conversation_id"]
            said.append(gateway.say("909090", talk)["messages"][0]["text"])
        assert said[0] == said[1]

    def test_codes_do_not_stay_in_the_log(self, gateway: Gateway) -> None:
        talk = gateway.say("查办件 YS2611130042 的进度")["conversation_id"]
        gateway.say("830271", talk)
        other = gateway.say("办件YS2611130042，查询码830271")["conversation_id"]
        for conversation in (talk, other):
            events = gateway.services.conversations.events(conversation)
            assert "830271" not in str([event.payload for event in events])

    def test_a_late_case_is_said_so_and_may_be_reported(self, gateway: Gateway) -> None:
        reply = gateway.say("办件YS2611020007 查询码555666")
        talk = reply["conversation_id"]
        assert reply["messages"][0]["case"]["overdue"]
        assert "已超过承诺时限 2 个工作日" in reply["messages"][0]["text"]
        [choice] = reply["messages"][-1]["choices"]
        filed = gateway.say(choice["payload"], talk)
        assert filed["outcome"] == "complaint"
        [(number, code)] = re.findall(r"编号 (TS\d{13})，查询码 (\w+)", filed["messages"][0]["text"])
        again = gateway.say("催办 YS2611020007", talk)
        assert f"编号 {number}，查询码 {code}，没有重复提交" in again["messages"][0]["text"]
        with gateway.client() as client:
            complaint = client.get(f"/api/v1/complaints/{number}", params={"code": code}).json()
        assert (complaint["kind"], complaint["case_number"]) == ("投诉", "YS2611020007")
        assert "云山市公安局出入境科（经办人 李敏）" in complaint["text"]

    def test_nobody_reports_the_case_of_another(self, gateway: Gateway) -> None:
        reply = gateway.say("催办 YS2611020007")
        assert "查询码" in reply["messages"][0]["text"]

    def test_a_finished_case_asks_how_it_was(self, gateway: Gateway) -> None:
        reply = gateway.say("YS2611130099 830271")
        assert reply["messages"][0]["case"]["outcome"] == "准予"
        choices = reply["messages"][-1]["choices"]
        assert [choice["title"] for choice in choices] == ["非常不满意", "不满意", "基本满意", "满意", "非常满意"]
        thanks = gateway.say("1", reply["conversation_id"])  # the number of a choice is its level
        assert "非常不满意" in thanks["messages"][0]["text"]
        assert "回访" in thanks["messages"][0]["text"]
        gateway.say(choices[4]["payload"], reply["conversation_id"])
        refused = gateway.say(choices[1]["payload"], reply["conversation_id"])
        assert "改过一次" in refused["messages"][0]["text"]

    def test_a_token_that_looks_like_a_number_is_no_number(self, gateway: Gateway) -> None:
        reply = gateway.say("YS2611130099 830271")
        refused = gateway.say("评价 1.yrqJ8rYO_49e7AOx 5", reply["conversation_id"])
        assert "没有这次评价" in refused["messages"][0]["text"]


class TestJudgingByLink:
    @pytest.fixture
    def link(self, gateway: Gateway) -> str:
        keeper, cases = gateway.services.casework.keeper, gateway.services.casework.cases
        from bot.cases.service import Asker

        number = f"YS26112{len(gateway.services.casework.keys.keys())}{id(self) % 10**6:06}"
        keeper.put(case(number=number, stages=FINISHED, outcome="准予"), "file", actor="test")
        judge = cases.look_up(number, "830271", Asker("test")).judge
        return f"/judge/{judge}"

    def test_the_page_takes_one_answer_and_one_change(self, gateway: Gateway, link: str) -> None:
        with gateway.client(follow_redirects=True) as client:
            page = client.get(link)
            assert page.status_code == 200
            assert "这次服务怎么样" in page.text
            assert "王强" in page.text
            first = client.post(link, data={"level": "2", "comment": "等太久"})
            assert "您的评价：" in first.text
            assert "<b>不满意</b>" in first.text
            assert "<b>满意</b>" in client.post(link, data={"level": "4"}).text
            refused = client.post(link, data={"level": "5"})
            assert refused.status_code == 409
            assert "已经改过一次" in refused.text
            assert '<form method="post" action=""' not in refused.text

    def test_a_made_up_link_finds_nothing(self, gateway: Gateway) -> None:
        with gateway.client() as client:
            assert client.get("/judge/1.AAAAAAAAAAAAAAAA").status_code == 404
            assert client.post("/judge/1.AAAAAAAAAAAAAAAA", data={"level": "5"}).status_code == 404

    def test_a_level_must_be_one_of_five(self, gateway: Gateway, link: str) -> None:
        with gateway.client() as client:
            assert client.post(link, data={"level": "9"}).status_code == 422
            assert client.post(link, data={}).status_code == 422
            assert client.post(link, data={"level": "5"}, headers={"Origin": "https://evil.example"}).status_code == 403
