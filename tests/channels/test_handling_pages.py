"""The pages of units and of operators: what each role sees and does, and what it does not."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from bot.board.repository import PAGE
from bot.complaints.filing import Asker, Filing, Shown
from bot.complaints.handling import Step
from bot.complaints.model import Act, Actor, Party
from bot.people.model import Role
from bot.store.audit import Wanted
from bot.store.trail import Trail
from tests.channels.staff import BURST, FOREST, WATER, Staff, filed
from tests.gateway import Gateway


@pytest.fixture(scope="module")
def gateway(complaint_gateway: Gateway) -> Gateway:
    return complaint_gateway


@pytest.fixture(scope="module")
def clerk(gateway: Gateway) -> Staff:
    return Staff(gateway, "water", Role.DEPARTMENT, WATER)


@pytest.fixture(scope="module")
def operator(gateway: Gateway) -> Staff:
    return Staff(gateway, "operator", Role.OPERATOR)


def unsure(gateway: Gateway) -> Shown:
    """A complaint that waits to be sent to a unit: taken back from the one it went to."""
    shown = filed(gateway)
    step = Step(shown.number, Act.TAKE_BACK, shown.version, "改派")
    gateway.services.complaints.handling.act(step, Actor(Party.SUPERVISOR, "board"))
    return shown


def test_a_unit_signs_and_answers(gateway: Gateway, clerk: Staff) -> None:
    shown = filed(gateway)
    queue = clerk.page("/unit")
    assert shown.number in queue
    assert "139****5678" in queue
    assert "13912345678" not in queue + clerk.page(f"/unit/{shown.number}")
    signed = clerk.act(f"/unit/{shown.number}", "sign")
    assert (signed.status_code, signed.headers["location"]) == (303, f"/unit/{shown.number}?done=sign")
    empty = clerk.act(f"/unit/{shown.number}", "answer", note=" ")
    assert empty.status_code == 422
    clerk.act(f"/unit/{shown.number}", "answer", note="已抢修，今早恢复供水。")
    page = clerk.page(f"/unit/{shown.number}")
    assert "已抢修，今早恢复供水。" in page
    assert "现在没有可以办的。" in page
    assert shown.number not in clerk.page("/unit")
    assert shown.number in clerk.page("/unit?show=done")


def test_pictures_are_shown_to_who_handles_it_and_each_look_is_on_record(
    gateway: Gateway, clerk: Staff, operator: Staff
) -> None:
    services = gateway.services
    turn = services.conversations.begin(None, None, "水管爆了", "web")
    kept = services.attachments.add_picture("p-1", "", turn.conversation_id, picture())
    filing = Filing(BURST, location="人民路药材公司门口", attachments=(kept.id,))
    shown = services.complaints.service.file(filing, Asker("web", conversation_id=turn.conversation_id))
    for staff, home in ((clerk, "/unit"), (operator, "/triage")):
        address = f"{home}/{shown.number}/attachments/{kept.id}"
        assert address in staff.page(f"{home}/{shown.number}")
        for _ in range(2):  # drawn anew: the same look
            seen = staff.get(address)
            assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")
    stranger = Staff(gateway, "forest", Role.DEPARTMENT, FOREST)
    assert stranger.get(f"/unit/{shown.number}/attachments/{kept.id}").status_code == 404
    acts = Trail(services.store).page(Wanted(subject=f"attachment:{kept.id}", action="attachment.read")).entries
    assert [(act.actor, act.details) for act in acts] == [
        ("operator", {"where": f"complaint:{shown.number}"}),
        ("water", {"where": f"complaint:{shown.number}"}),
    ]


def picture() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(made, "PNG")
    return made.getvalue()


def test_what_another_did_meanwhile_is_shown_and_the_draft_is_kept(gateway: Gateway, clerk: Staff) -> None:
    shown = filed(gateway)
    path = f"/unit/{shown.number}"
    clerk.act(path, "sign")
    before = clerk.page(path)
    clerk.act(path, "pause", note="等第三方检测")
    refused = clerk.act(path, "answer", before, note="写了半天的答复")
    assert refused.status_code == 409
    assert "刚被别人处理过" in refused.text
    meanwhile = refused.text.split('id="meanwhile"')[1].split("</ol>")[0]
    assert "暂停计时" in meanwhile
    assert "等第三方检测" in meanwhile
    assert "签收" not in meanwhile
    clerk.act(path, "resume")
    assert "恢复计时" in clerk.page(path)


@pytest.mark.parametrize("act", ["sign", "return", "answer", "pause", "ask_extension", "dispatch", "close", "nonsense"])
def test_a_clerk_of_another_unit_sees_nothing_and_does_nothing(gateway: Gateway, act: str) -> None:
    shown = filed(gateway)
    other = Staff(gateway, "forest", Role.DEPARTMENT, FOREST)
    assert shown.number not in other.page("/unit?show=open")
    assert shown.number not in other.page(f"/unit?department={WATER}")
    own = other.page("/unit")
    missing = other.get(f"/unit/{shown.number}")
    unknown = other.get("/unit/TS2611220000000")
    assert missing.status_code == unknown.status_code == 404
    assert missing.text.replace(shown.number, "") == unknown.text.replace("TS2611220000000", "")
    forged = f'name="version" value="1" name="seen" value="1" {own}'
    refused = other.act(f"/unit/{shown.number}", act, forged, note="我来", department=FOREST)
    assert refused.status_code == 404
    assert gateway.services.board.complaint(shown.number).item.version == shown.version


def test_roles_do_not_share_pages(gateway: Gateway, clerk: Staff, operator: Staff) -> None:
    assert clerk.get("/triage").status_code == 403
    assert operator.get("/unit").status_code == 403
    with gateway.client() as nobody:
        for path in ("/unit", "/triage", "/complaint-news"):
            assert nobody.get(path, headers={"Accept": "text/html"}).status_code == 303


def test_a_form_without_the_pages_token_is_refused(gateway: Gateway, clerk: Staff) -> None:
    shown = filed(gateway)
    refused = clerk.client.post(f"/unit/{shown.number}", data={"act": "sign", "version": "1", "token": "guessed"})
    assert refused.status_code == 403


def test_triage_dispatches_to_a_candidate_or_to_a_unit_found(gateway: Gateway, clerk: Staff, operator: Staff) -> None:
    shown = unsure(gateway)
    path = f"/triage/{shown.number}"
    assert shown.number in operator.page("/triage")
    page = operator.page(path)
    for candidate in shown.candidates:
        assert candidate["basis"] in page
        assert f"把握 {candidate['score'] * 100:.0f}%" in page
    found = operator.page(f"{path}?q=林业")
    assert FOREST in found.split('id="units"')[1]
    nowhere = operator.act(path, "dispatch", department="天上的单位")
    assert (nowhere.status_code, "权责清单里没有" in nowhere.text) == (422, True)
    assert operator.act(path, "dispatch", department=WATER).status_code == 303
    assert shown.number not in operator.page("/triage")
    # Returned with a reason it is there again, and cannot be returned twice.
    clerk.act(f"/unit/{shown.number}", "return", note="不属于供水，是物业的事")
    assert shown.number in operator.page("/triage")
    again = operator.page(path)
    assert "不属于供水，是物业的事" in again
    assert ("退回过" in again) == any(each["department"] == WATER for each in shown.candidates)
    operator.act(path, "dispatch", department=WATER)
    assert "act-return" not in clerk.page(f"/unit/{shown.number}")


def test_what_was_heard_wrong_is_put_right(gateway: Gateway, operator: Staff, clerk: Staff) -> None:
    shown = unsure(gateway)
    path = f"/triage/{shown.number}"
    page = operator.page(path)
    listed = gateway.services.complaints.category_names()
    other = next(name for name in listed if name != shown.category)
    assert all(f'<option value="{name}"' in page for name in listed)
    assert f'<option value="{shown.category}" selected' in page
    assert "现在的分类表里没有" not in page
    for wrong in ({"kind": "什么", "category": other}, {"kind": "咨询", "category": "没有/这类"}):
        assert operator.act(path, "reclassify", **wrong).status_code == 422
    fields = {"kind": "咨询", "category": other, "urgent": "true", "note": "只是问问"}
    assert operator.act(path, "reclassify", **fields).status_code == 303
    page = operator.page(path)
    assert f"咨询 · {other.replace('/', ' › ')} · 紧急" in page
    assert "只是问问" in page
    item = gateway.services.board.complaint(shown.number).item
    assert (item.kind, item.category, item.urgent) == ("咨询", other, True)
    operator.act(path, "dispatch", department=WATER)
    assert "act-reclassify" not in clerk.page(f"/unit/{shown.number}")


def test_two_of_the_same_are_compared_and_merged_and_split(gateway: Gateway, operator: Staff) -> None:
    first = filed(gateway, "学府苑北门路灯不亮了好几天，晚上黑得看不见路", "学府苑北门")
    second = filed(gateway, "学府苑北门的路灯坏了几天了，晚上看不见路", "学府苑北门")
    path = f"/triage/{second.number}"
    page = operator.page(path)
    assert first.number in page.split("同一件事？")[1]
    assert operator.act(path, "merge", into=first.number, note="同一盏灯").status_code == 303
    assert second.number in operator.page(f"/triage/{first.number}")
    assert operator.act(path, "split").status_code == 303
    assert gateway.services.board.complaint(second.number).merged_into is None


def test_an_answer_is_reviewed_and_closed(gateway: Gateway, clerk: Staff, operator: Staff) -> None:
    shown = filed(gateway)
    for act in ("sign", "answer"):
        clerk.act(f"/unit/{shown.number}", act, note="修好了" if act == "answer" else "")
    assert shown.number in operator.page("/triage?show=review")
    operator.act(f"/triage/{shown.number}", "review", note="电话核实过")
    operator.act(f"/triage/{shown.number}", "close")
    assert shown.number not in operator.page("/triage?show=review")
    assert gateway.services.board.complaint(shown.number).item.state == "closed"


def test_a_long_queue_is_read_page_by_page_and_every_item_once(gateway: Gateway, clerk: Staff) -> None:
    numbers = {filed(gateway).number for _ in range(PAGE + 2)}
    seen: list[str] = []
    page = clerk.page("/unit?kind=&light=")
    while True:
        seen += page.split("data-number=")[1:]
        if 'rel="next"' not in page:
            break
        page = clerk.page(page.split('rel="next" href="')[1].split('"')[0])
    listed = [each.split('"')[1] for each in seen]
    assert len(listed) == len(set(listed))
    assert numbers <= set(listed)


@pytest.mark.parametrize(
    "query", ["show=what", "light=blue", "since=yesterday", "cursor=%21%21", "since=2030-01-01&until=2026-01-01"]
)
def test_a_filter_that_is_none_is_refused_with_a_remedy(clerk: Staff, query: str) -> None:
    assert clerk.get(f"/unit?{query}").status_code == 422
