"""The editors' pages through a running gateway: from a question nobody could answer to a guide that answers it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from bot.people.model import Role
from channels.web.pages import Pages
from index.encoder import Encoder
from index.features import OF_QUESTION, PER_CANDIDATE
from tests.channels.staff import Staff
from tests.gateway import Gateway, copied, running, settings_for
from tests.learning import evaluate, listen

STRANGE = "金蟾卡咋个整起"
"""Nothing of the city is called so."""
MATTER = "居住证"


@pytest.fixture
def fresh(city: Path, tmp_path: Path, encoder: Encoder) -> Iterator[Gateway]:
    """A gateway of the test's own, whose catalogue it may change."""
    with running(settings_for(copied(city, tmp_path / "home")), encoder) as started:
        yield started


@pytest.fixture
def editor(fresh: Gateway) -> Staff:
    return Staff(fresh, "lin", Role.EDITOR)


def hidden(html: str, name: str) -> str:
    return re.findall(rf'name="{name}" value="([^"]*)"', html)[0]


def send(editor: Staff, page: str, to: str, **fields: object) -> httpx.Response:
    """Sends a form with the token, and the version where there is one, of ``page``."""
    html = editor.page(page)
    values = {"token": hidden(html, "token"), **fields}
    if 'name="version"' in html:
        values.setdefault("version", hidden(html, "version"))
    return editor.client.post(to, data=values)


def only_group(editor: Staff) -> str:
    [number] = re.findall(r'href="/learn/groups/(\d+)"', editor.page("/learn"))
    return f"/learn/groups/{number}"


def code_of(editor: Staff, group: str) -> str:
    html = editor.page(f"{group}?q={MATTER}")
    return re.findall(r'name="code" value="(\w+)"', html)[0]


def test_a_question_nobody_could_answer_is_learned(fresh: Gateway, editor: Staff, encoder: Encoder) -> None:
    assert fresh.say(STRANGE)["outcome"] == "unknown"
    assert listen(fresh, encoder) == 1
    group = only_group(editor)
    assert STRANGE in editor.page(group)
    code = code_of(editor, group)
    sent = send(editor, group, f"{group}/change", act="question", code=code, text=STRANGE, examples=[STRANGE])
    assert sent.headers["location"] == "/learn/draft"
    assert fresh.say(STRANGE)["outcome"] == "unknown", "a draft changes nothing"
    draft = editor.page("/learn/draft")
    assert "相似问法：" + STRANGE in draft
    assert "发布为新的目录版本" not in draft
    assert send(editor, "/learn/draft", "/learn/draft/evaluate").headers["location"] == "/learn/draft"
    assert "后台任务没有在运行" in editor.page("/learn/draft"), "and the editor is told why nothing happens"
    assert 'hx-trigger="every 2s"' in editor.page("/learn/draft/state")
    assert evaluate(fresh, encoder)
    shown = editor.page("/learn/draft")
    assert "变差 0 题" in shown
    assert re.search(r"变好 [1-9]", shown)
    assert "hx-trigger" not in shown
    before = fresh.services.matters.current_version()
    published = send(editor, "/learn/draft", "/learn/draft/publish", digest=hidden(shown, "digest"))
    assert published.headers["location"] == "/learn/draft"
    assert fresh.services.matters.current_version() != before
    fresh.services.refresh_index()
    reply = fresh.say(STRANGE)
    assert (reply["outcome"], reply["matter"]) == ("answered", code)
    assert STRANGE in editor.page("/learn/cases")
    assert STRANGE in editor.page("/learn/additions")
    assert "草稿是空的" in editor.page("/learn/draft")
    assert STRANGE in editor.page("/learn?stage=done")


def test_publishing_unseen_or_twice_is_refused(fresh: Gateway, editor: Staff, encoder: Encoder) -> None:
    fresh.say(STRANGE)
    listen(fresh, encoder)
    group = only_group(editor)
    send(editor, group, f"{group}/change", act="alias", code=code_of(editor, group), text=STRANGE)
    digest = fresh.services.learning.drafting.current().digest
    refused = send(editor, "/learn/draft", "/learn/draft/publish", digest=digest)
    assert (refused.status_code, "还没有评测过" in refused.text) == (409, True)
    send(editor, "/learn/draft", "/learn/draft/evaluate")
    evaluate(fresh, encoder)
    assert send(editor, "/learn/draft", "/learn/draft/publish", digest="0" * 64).status_code == 409
    assert send(editor, "/learn/draft", "/learn/draft/publish", digest=digest).status_code == 303
    assert send(editor, "/learn/draft", "/learn/draft/publish", digest=digest).status_code == 409


def test_a_negative_example_keeps_a_matter_from_answering(fresh: Gateway, editor: Staff, encoder: Encoder) -> None:
    question = "居住证丢了要不要报警"
    first = fresh.say(question)
    code = first["candidates"][0]["code"]
    fresh.say("答非所问", first["conversation_id"])
    services = fresh.services
    account = next(each for each in services.people.accounts() if each.username == "lin")
    from bot.learning.drafting import Asked
    from bot.learning.model import Act

    services.learning.drafting.add(Asked(Act.NOT, code, question), account)
    services.learning.drafting.evaluate(account)
    evaluate(fresh, encoder)
    draft = services.learning.drafting.current()
    services.learning.drafting.publish(draft.digest, account, worse=draft.evaluation.worse if draft.evaluation else 0)
    services.refresh_index()
    after = fresh.say(question)
    assert code not in {each["code"] for each in after["candidates"]}
    assert "因“不答的问题”退出的" in editor.page(f"/hit-test?q={question}")


def test_what_gets_worse_must_be_accepted(fresh: Gateway, editor: Staff, encoder: Encoder) -> None:
    from bot.learning.drafting import Asked
    from bot.learning.model import Act

    services = fresh.services
    account = next(each for each in services.people.accounts() if each.username == "lin")
    codes = [each.code for each in services.matters.search(MATTER).items][:2]

    def add(code: str) -> None:
        services.learning.drafting.add(Asked(Act.QUESTION, code, STRANGE), account)
        services.learning.drafting.evaluate(account)
        evaluate(fresh, encoder)

    add(codes[0])
    services.learning.drafting.publish(services.learning.drafting.current().digest, account)
    add(codes[1])
    html = editor.page("/learn/draft")
    assert "变差的（1）" in html
    assert "回归题" in html
    digest = hidden(html, "digest")
    refused = send(editor, "/learn/draft", "/learn/draft/publish", digest=digest)
    assert (refused.status_code, "会变差" in refused.text) == (409, True)
    assert send(editor, "/learn/draft", "/learn/draft/publish", digest=digest, worse="1").status_code == 303


def test_a_group_is_dismissed_with_a_reason_and_comes_back(fresh: Gateway, editor: Staff, encoder: Encoder) -> None:
    fresh.say(STRANGE)
    listen(fresh, encoder)
    group = only_group(editor)
    assert send(editor, group, f"{group}/dismiss", reason=" ").status_code == 422
    assert send(editor, group, f"{group}/dismiss", reason="不归政务服务").headers["location"] == "/learn"
    assert STRANGE not in editor.page("/learn")
    assert "不归政务服务" in editor.page("/learn?stage=dismissed")
    assert send(editor, group, f"{group}/reopen").status_code == 303
    assert STRANGE in editor.page("/learn")


def test_a_refused_change_keeps_what_was_typed(fresh: Gateway, editor: Staff, encoder: Encoder) -> None:
    fresh.say(STRANGE)
    listen(fresh, encoder)
    group = only_group(editor)
    code = code_of(editor, group)
    fields = {"act": "faq", "code": code, "text": "周末办不办<b>", "answer": ""}
    refused = send(editor, group, f"{group}/change", **fields)
    html = refused.text
    assert refused.status_code == 422
    assert "解答是空的" in html
    assert 'value="周末办不办&lt;b&gt;"' in html
    assert re.search(rf'value="{code}" required checked', html)


def test_a_withdrawal_goes_through_the_draft(fresh: Gateway, editor: Staff, encoder: Encoder) -> None:
    from bot.learning.drafting import Asked
    from bot.learning.model import Act

    services = fresh.services
    account = next(each for each in services.people.accounts() if each.username == "lin")
    code = services.matters.search(MATTER).items[0].code
    services.learning.drafting.add(Asked(Act.ALIAS, code, STRANGE), account)
    services.learning.drafting.evaluate(account)
    evaluate(fresh, encoder)
    services.learning.drafting.publish(services.learning.drafting.current().digest, account)
    send(editor, "/learn/additions", "/learn/additions/withdraw", code=code, kind="alias", text=STRANGE)
    assert "撤下以前补充的：" + STRANGE in editor.page("/learn/draft")
    change = re.findall(r'name="change" value="(\d+)"', editor.page("/learn/draft"))[0]
    send(editor, "/learn/draft", "/learn/draft/remove", change=change)
    assert "草稿是空的" in editor.page("/learn/draft")
    case = re.findall(r'name="case" value="(\d+)"', editor.page("/learn/cases"))[0]
    send(editor, "/learn/cases", "/learn/cases/retire", case=case)
    assert STRANGE not in editor.page("/learn/cases")


@pytest.mark.parametrize("path", ["/learn/groups/999", "/learn?page=0", "/learn?stage=none", "/learn/groups/x"])
def test_what_is_not_there_is_said(fresh: Gateway, editor: Staff, path: str) -> None:
    assert editor.get(path).status_code in {404, 422}


def test_the_hit_test_says_why(gateway: Gateway) -> None:
    chief = Staff(gateway, "chief", Role.ADMINISTRATOR)
    empty = chief.page("/hit-test")
    assert "结论" not in empty
    html = chief.page("/hit-test?q=我居住证到期了怎么续")
    for shown in ("把握", "门槛", "初看", "别名", "各项特征", "字面得分", "这句话本身", "“都不是”占"):
        assert shown in html, shown
    assert "直接答" in chief.page("/hit-test?q=居住证签注") or "答第一个" in html or "反问" in html
    assert "像哪些全国常见事项" in html
    assert "按拼音找到" in chief.page("/hit-test?q=juzhuzheng qianzhu zenme ban")
    assert chief.get("/hit-test?q=" + "长" * 301).status_code == 422
    assert "<script>" not in unescape(chief.get("/hit-test?q=<script>").text.split("<main")[1].split("value=")[0])


def test_every_feature_has_a_word(gateway: Gateway) -> None:
    pages: Pages = gateway.services.pages
    assert set(pages.words["features"]) == {*PER_CANDIDATE, *OF_QUESTION}
