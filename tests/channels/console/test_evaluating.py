"""Questions put to a real gateway, as ``wenban eval questions --server`` and ``wenban ask`` do."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from bot.errors import Unavailable
from channels.console.asking import ApiError, source_lines, take_turn
from channels.console.evaluating import put
from channels.console.output import Meter
from index.evaluation.questions import parse_questions
from tests.gateway import NOWHERE, Gateway

Wenban = Callable[..., tuple[int, str, str]]


def rows(gateway: Gateway) -> list[str]:
    guide = next(iter(gateway.services.matters.guides()))
    return [
        json.dumps({"text": guide.name, "matter": guide.code}, ensure_ascii=False),
        json.dumps({"text": "那要带什么", "matter": guide.code, "facet": "materials", "context": [guide.name]}),
        json.dumps({"text": "火星上的暗物质怎么称重", "matter": None}, ensure_ascii=False),
    ]


async def test_each_question_gets_its_reply_and_context_is_said_first(gateway: Gateway) -> None:
    seen: list[tuple[int, int]] = []
    meter = Meter("", lambda _, done, total: seen.append((done, total)))
    named, follow_up, foreign = await put(gateway.url, parse_questions(rows(gateway)), 3, meter)
    assert named.right
    assert named.answer.confidence == 1
    assert named.answer.seconds > 0
    assert follow_up.right
    assert follow_up.facet_right
    assert not foreign.answered
    assert seen[-1] == (3, 3)


def test_the_command_reports_and_writes_what_was_found(gateway: Gateway, wenban: Wenban, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text("\n".join(rows(gateway)), encoding="utf-8")
    report, wrong = tmp_path / "report.json", tmp_path / "wrong.jsonl"
    options = ["--server", gateway.url, "--json", str(report), "--wrong", str(wrong)]
    status, out, err = wenban("eval", "questions", str(questions), *options)
    assert status == 0, err
    assert "一次答对事项" in out
    found = json.loads(report.read_text(encoding="utf-8"))
    assert found["questions_file"] == "questions.jsonl"
    assert found["scores"]["answered_right"]["share"] == 1
    assert found["scores"]["follow_up_right"]["of"] == 1
    assert wrong.read_text() == ""


def test_faulty_questions_are_named_before_anything_is_asked(wenban: Wenban, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"text": "好", "matter": null}\n{"text": ""}\n', encoding="utf-8")
    status, _, err = wenban("eval", "questions", str(questions), "--server", NOWHERE)
    assert status == 1
    assert "没有开始评测" in err


def test_an_empty_catalogue_is_not_scored(wenban: Wenban, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"text": "好", "matter": null}\n', encoding="utf-8")
    status, _, err = wenban("eval", "questions", str(questions))
    assert status == 1
    assert "wenban import guides" in err


async def test_a_refusal_of_the_server_is_passed_on(gateway: Gateway) -> None:
    async with httpx.AsyncClient(base_url=gateway.url, trust_env=False) as client:
        with pytest.raises(ApiError) as caught:
            await take_turn(client, " ")
    assert caught.value.message
    assert caught.value.remedy


async def test_a_server_that_is_not_there_is_said_so() -> None:
    async with httpx.AsyncClient(base_url=NOWHERE, trust_env=False) as client:
        with pytest.raises(Unavailable, match="没有回应"):
            await take_turn(client, "换驾照")


def test_the_same_source_is_shown_once(gateway: Gateway) -> None:
    guide = next(iter(gateway.services.matters.guides()))
    reply = gateway.say(f"{guide.name}要带什么、多少钱")
    assert len(source_lines(reply)) <= 1


def test_ask_uses_the_server_that_runs(gateway: Gateway, wenban: Wenban, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENBAN_PORT", gateway.url.rpartition(":")[2])
    guide = next(iter(gateway.services.matters.guides()))
    status, out, err = wenban("ask", guide.name, "--json")
    assert status == 0, err
    assert json.loads(out[out.index("{\n") :])["matter"] == guide.code  # the gateway's own log comes before, here
    status, out, err = wenban("ask", guide.name)
    assert guide.code in out
    assert "正在运行的服务" in err


def test_chat_takes_choices_by_number_and_ends_at_an_empty_line(
    gateway: Gateway, wenban: Wenban, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WENBAN_PORT", gateway.url.rpartition(":")[2])
    typed = iter(["你好", ""])
    monkeypatch.setattr("builtins.input", lambda _: next(typed))
    status, out, _ = wenban("chat")
    assert status == 0
    assert len(out.splitlines()) > 3


def test_what_took_part_in_training_is_not_written_into_the_docs(wenban: Wenban) -> None:
    status, _, err = wenban("eval", "held-out", "development", "--docs")
    assert status == 1
    assert "参与过训练" in err
