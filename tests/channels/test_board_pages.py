"""The supervisors' board: numbers that lead to what they count, acts, files taken away; and what follows answers."""

from __future__ import annotations

import csv
import io
import re

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from bot.board.hot_spots import HotSpotKeeper
from bot.judgements.tables import JudgementRow
from bot.people.model import Role
from bot.store.audit import AuditRow
from channels.supervising import build_supervisors
from tests.channels.staff import FOREST, WATER, Staff, filed
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


@pytest.fixture(scope="module")
def supervisor(gateway: Gateway) -> Staff:
    return Staff(gateway, "supervisor", Role.SUPERVISOR)


def signed(gateway: Gateway, clerk: Staff, text: str | None = None) -> str:
    number = (filed(gateway, text) if text else filed(gateway)).number
    clerk.act(f"/unit/{number}", "sign")
    return number


def token(page: str) -> str:
    return re.findall(r'name="token" value="(\w+)"', page)[0]


def counted(supervisor: Staff, path: str) -> int:
    """How many complaints the list at ``path`` shows, over all its pages."""
    count = 0
    while True:
        page = supervisor.page(path)
        count += page.count("data-number=")
        if 'rel="next"' not in page:
            return count
        path = page.split('rel="next" href="')[1].split('"')[0]


def test_every_number_on_the_board_leads_to_as_many(gateway: Gateway, clerk: Staff, supervisor: Staff) -> None:
    clerk.act(f"/unit/{signed(gateway, clerk)}", "answer", note="修好了")
    signed(gateway, clerk)
    filed(gateway)
    page = supervisor.page("/board")
    cards = re.findall(r'href="(/board/items\?[^"]+)"><b class="figures">(\d+)</b>', page)
    assert len(cards) > 8
    cells = re.findall(r'<a href="(/board/items\?[^"]+)">(\d+)</a>', page)
    assert cells
    for path, number in [*cards, *cells]:
        assert counted(supervisor, path) == int(number), path
    assert f"/board?department={'%E4%BA%91%E5%B1%B1%E4%BE%9B%E6%B0%B4'}" in page


def test_a_supervisor_urges_and_the_unit_answers(gateway: Gateway, clerk: Staff, supervisor: Staff) -> None:
    number = signed(gateway, clerk)
    path = f"/board/items/{number}"
    fields = {"token": token(supervisor.page(path)), "number": number}
    refused = supervisor.client.post("/alarms/urge", data={**fields, "note": " "})
    assert (refused.status_code, "请写明催办的理由" in refused.text) == (422, True)
    assert supervisor.client.post("/alarms/urge", data={**fields, "note": "三天没有进展"}).status_code == 303
    page = clerk.page(f"/unit/{number}")
    assert "三天没有进展" in page
    alarm = re.findall(r'action="(/alarms/\d+/answer)"', page)[0]
    answered = clerk.client.post(alarm, data={"token": token(page), "number": number, "note": "今天下午到场"})
    assert answered.status_code == 303
    assert "今天下午到场" in supervisor.page(path)
    other = Staff(gateway, "forest", Role.DEPARTMENT, FOREST)
    refused = other.client.post(alarm, data={"token": token(other.page("/unit")), "number": number, "note": "我来"})
    assert refused.status_code in (403, 404)


def test_an_extension_is_refused_then_granted(gateway: Gateway, clerk: Staff, supervisor: Staff) -> None:
    number = signed(gateway, clerk)
    path = f"/board/items/{number}"
    assert "批准延期" not in supervisor.page(path)
    clerk.act(f"/unit/{number}", "ask_extension", note="要换主管道")
    assert number in supervisor.page("/board/items?show=extension")
    supervisor.act(path, "refuse_extension", note="理由不足")
    clerk.act(f"/unit/{number}", "ask_extension", note="有检测单位的函")
    before = gateway.services.board.complaint(number).item.due_at
    assert supervisor.act(path, "grant_extension").status_code == 303
    assert gateway.services.board.complaint(number).item.due_at > before


def test_taken_back_it_waits_in_triage(gateway: Gateway, clerk: Staff, operator: Staff, supervisor: Staff) -> None:
    number = signed(gateway, clerk)
    assert supervisor.act(f"/board/items/{number}", "take_back", note="推诿").status_code == 303
    assert number in operator.page("/triage")
    assert number not in clerk.page("/unit")


def test_a_bad_judgement_is_put_right_and_called_about(
    gateway: Gateway, clerk: Staff, operator: Staff, supervisor: Staff
) -> None:
    services = gateway.services
    number = signed(gateway, clerk)
    clerk.act(f"/unit/{number}", "answer", note="已处理")
    judgements = services.casework.judgements
    judge = judgements.latest_token(f"complaint:{number}")
    assert judge is not None
    judgements.answer(judge, 1, channel="web")
    with services.store.read() as session:
        judged = session.scalars(select(JudgementRow.id).where(JudgementRow.subject == f"complaint:{number}")).one()
    calendar = services.supervision.alarms._raiser._calendar
    worker = build_supervisors(services.settings, services.store, services.clock, services.casework, calendar)
    worker.care.judged_poorly(judged)
    page = clerk.page("/rectifications")
    assert number in page
    action, version = re.findall(r'action="(/rectifications/\d+)".*?name="version" value="(\d+)"', page, re.S)[0]
    form = {"token": token(page), "version": version, "act": "submit", "note": "已上门重修"}
    assert clerk.client.post(action, data=form).status_code == 303
    page = supervisor.page("/rectifications")
    assert "已上门重修" in page
    version = re.findall(rf'action="{action}".*?name="version" value="(\d+)"', page, re.S)[0]
    form = {"token": token(page), "version": version, "act": "accept"}
    assert supervisor.client.post(action, data=form).status_code == 303
    page = operator.page("/callbacks")
    call = re.findall(rf'id="callback-(\d+)"><h2><a class="figures" href="/triage/{number}"', page)[0]
    version = re.findall(rf'action="/callbacks/{call}".*?name="version" value="(\d+)"', page, re.S)[0]
    form = {"token": token(page), "version": version, "outcome": "dissatisfied", "note": "还在漏", "reopen": "true"}
    assert operator.client.post(f"/callbacks/{call}", data=form).status_code == 303
    assert number in operator.page("/triage")
    assert number in supervisor.page("/board/items?show=unresolved")
    assert number in supervisor.page("/board/items?show=dissatisfied")


def test_files_hide_numbers_begin_no_formula_and_are_recorded(gateway: Gateway, supervisor: Staff) -> None:
    filed(gateway, "=HYPERLINK(1) 自来水管爆了没人管，我的电话13912345678", "+86路口")
    response = supervisor.get("/board/export.csv?show=filed")
    assert response.headers["content-type"].startswith("text/csv")
    assert "attachment" in response.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert "13912345678" not in response.text
    assert any("139****5678" in cell for row in rows for cell in row)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    workbook = load_workbook(io.BytesIO(supervisor.get("/board/export.xlsx?show=filed").content))
    assert [[cell or "" for cell in row] for row in workbook.active.iter_rows(values_only=True)] == rows
    with gateway.services.store.read() as session:
        acts = session.scalars(select(AuditRow).where(AuditRow.action == "board.export")).all()
    assert [act.details["form"] for act in acts[-2:]] == ["csv", "xlsx"]
    assert acts[-1].actor == "supervisor"


def test_hot_spots_lead_to_their_complaints(gateway: Gateway, supervisor: Staff) -> None:
    HotSpotKeeper(gateway.services.store).refresh(gateway.services.clock.now())
    spots, _ = gateway.services.board.hot_spots()
    assert spots
    page = supervisor.page("/board/hot-spots")
    assert "13912345678" not in page
    path = re.findall(r'href="(/board/items\?show=filed&hot=\d+)"', page)[0]
    assert counted(supervisor, path) == spots[0].size


@pytest.mark.parametrize(
    "path", ["/board", "/board/items", "/board/hot-spots", "/board/export.csv", "/board/export.xlsx"]
)
def test_the_board_is_the_supervisors_alone(gateway: Gateway, clerk: Staff, operator: Staff, path: str) -> None:
    assert clerk.get(path).status_code == 403
    assert operator.get(path).status_code == 403
    with gateway.client() as nobody:
        assert nobody.get(path, headers={"Accept": "text/html"}).status_code == 303
