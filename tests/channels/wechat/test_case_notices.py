"""A case followed in WeChat: verified once by its code, asked for without it later, and told when it is done."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

from bot.clock import SystemClock
from bot.complaints.filing import Asker
from channels.sms import FILE
from channels.work import jobs_of
from index.encoder import Encoder
from tests.bot.cases.examples import case
from tests.channels.wechat.conftest import town_of
from tests.gateway import copied

NUMBER, CODE = "YS2611130042", "830271"


def stage(name: str, start: datetime, end: datetime | None = None, **more: str) -> dict[str, object]:
    ended = {"end": end.isoformat()} if end else {}
    return {"stage": name, "unit": "云山市公安局", "person": "李敏", "start": start.isoformat(), **ended, **more}


def test_who_asked_for_a_case_in_wechat_is_told_there_once_and_judges_it(
    city: Path, tmp_path: Path, encoder: Encoder
) -> None:
    now = SystemClock().now()
    days = [now - timedelta(days=ago) for ago in (4, 3, 2)]
    handled = [stage("申请", days[0], days[1]), stage("受理", days[1], days[2], result="予以受理")]
    decided = stage("决定", days[2], now - timedelta(minutes=1), result="准予")
    with town_of(copied(city, tmp_path / "home"), encoder, quiet_from=0, quiet_until=0) as town:
        keeper = town.gateway.services.casework.keeper
        keeper.put(case(stages=[*handled, stage("审查", days[2])], updated_at=days[2]), "file", actor="test")
        town.standin.text("waits", "我的件办得怎么样了")
        town.standin.text("waits", NUMBER)
        card = town.standin.text("waits", CODE)
        assert "审查" in (card.text or "")
        again = town.standin.text("waits", f"{NUMBER}到哪一步了")
        assert "审查" in (again.text or ""), "once verified no code is asked for"

        keeper.put(case(stages=[*handled, decided], outcome="准予", updated_at=now), "file", actor="test")
        jobs = jobs_of(town.gateway.services.settings, SystemClock())
        try:
            [relay] = [job for job in jobs if job.name == "relay"]
            for _ in range(2):
                relay.run(SystemClock().now())
        finally:
            for job in jobs:
                job.close()
        told = [line.text for line in town.standin.lines("waits") if "请评价" in line.text]
        assert len(told) == 1
        by_text = (town.gateway.home / FILE).read_text("utf-8")
        assert by_text.count("\n") == 1, "only what happened before the citizen was known"
        assert "办结，结果" not in by_text
        judged = town.standin.text("waits", "5")
        assert "评价" in (judged.text or "")


def test_a_late_case_becomes_a_complaint_in_wechat_that_can_be_followed(
    city: Path, tmp_path: Path, encoder: Encoder
) -> None:
    now = SystemClock().now()
    days = [now - timedelta(days=ago) for ago in (30, 29, 28)]
    handled = [
        stage("申请", days[0], days[1]),
        stage("受理", days[1], days[2], result="予以受理"),
        stage("审查", days[2]),
    ]
    with town_of(copied(city, tmp_path / "home"), encoder) as town:
        services = town.gateway.services
        # the categories are encoded at the first complaint, which takes long on a busy machine
        services.complaints.decider.prepare()
        late = case(stages=handled, promised_limit={"value": 2, "unit": "工作日"}, updated_at=days[2])
        services.casework.keeper.put(late, "file", actor="test")
        card = town.standin.text("waits", f"{NUMBER} {CODE}")
        assert "已超过承诺时限" in (card.text or "")
        assert "1. 请人催办" in (card.text or "")
        filed = town.standin.text("waits", "1").text or ""
        [(number, code)] = re.findall(r"编号 (TS\d{13})，查询码 (\w+)", filed)
        assert number in (town.standin.text("waits", f"催办 {NUMBER}").text or "")
        shown = services.complaints.service.look_up(number, code, Asker("test", "anybody"))
        assert shown.case_number == NUMBER
        assert "居民身份证丢失补领" in shown.text


def test_an_unknown_number_and_a_wrong_code_read_alike(city: Path, tmp_path: Path, encoder: Encoder) -> None:
    with town_of(copied(city, tmp_path / "home"), encoder) as town:
        town.gateway.services.casework.keeper.put(case(), "file", actor="test")
        answers = set()
        for guesser, number, code in (("one", NUMBER, "000000"), ("another", "YS2611139999", CODE)):
            town.standin.text(guesser, "查一下我的办件")
            town.standin.text(guesser, number)
            answers.add(town.standin.text(guesser, code).text)
        assert len(answers) == 1
        assert "没有找到" in (answers.pop() or "")
