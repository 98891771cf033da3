"""/complaints and pictures over HTTP: the code never in an address, changes within their time, pictures bounded."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from bot.attachments.model import MOST_BYTES
from bot.complaints.filing import Asker, Filing, Shown
from bot.complaints.handling import Step
from bot.complaints.model import Act, Actor, Party
from tests.gateway import Gateway

WORDS = Filing("和平小区门口的路灯坏了一个月，晚上看不见路", location="和平小区门口", contact="13812345678")
UNIT = "云山市城市管理监督局"


@pytest.fixture
def filed(gateway: Gateway) -> Shown:
    return gateway.services.complaints.service.file(WORDS, Asker("test", "somewhere"))


@contextlib.contextmanager
def opened(gateway: Gateway, shown: Shown) -> Iterator[httpx.Client]:
    """A browser in which the code was given."""
    with gateway.client(follow_redirects=True) as client:
        page = client.post("/complaints", data={"number": shown.number, "code": shown.query_code})
        assert page.status_code == 200
        assert shown.number in str(page.url)
        assert shown.query_code not in str(page.url)
        yield client


def act(gateway: Gateway, shown: Shown, what: Act, actor: Actor, **more: str) -> None:
    now = gateway.services.complaints.service.look_up(shown.number, shown.query_code, Asker("test", "x"))
    gateway.services.complaints.handling.act(Step(shown.number, what, now.version, **more), actor)


def test_without_the_code_nothing_is_shown(gateway: Gateway, filed: Shown) -> None:
    with gateway.client() as client:
        page = client.get(f"/complaints/{filed.number}")
        unknown = client.get("/complaints/TS0000000000000")
        assert "路灯" not in page.text
        assert page.status_code == unknown.status_code == 200
        wrong = client.post("/complaints", data={"number": filed.number, "code": "2AAAAA"})
        assert wrong.status_code == 404
        assert "编号或查询码不对" in wrong.text
        assert client.post(f"/complaints/{filed.number}", data={"act": "withdraw"}).status_code == 200
    assert (
        gateway.services.complaints.service.look_up(filed.number, filed.query_code, Asker("t", "y")).state
        != "withdrawn"
    )


def test_it_is_corrected_and_taken_back_from_the_page(gateway: Gateway, filed: Shown) -> None:
    with opened(gateway, filed) as client:
        values = {"act": "correct", "text": WORDS.text, "place": "和平小区北门", "contact": "13812345678"}
        page = client.post(f"/complaints/{filed.number}", data=values)
        assert "已经更正" in page.text
        assert "和平小区北门" in page.text
        assert "已经撤回" in client.post(f"/complaints/{filed.number}", data={"act": "withdraw"}).text
        refused = client.post(f"/complaints/{filed.number}", data={"act": "withdraw"})
        assert refused.status_code == 409


def test_a_form_of_another_site_changes_nothing(gateway: Gateway, filed: Shown) -> None:
    with opened(gateway, filed) as client:
        headers = {"Sec-Fetch-Site": "cross-site"}
        refused = client.post(f"/complaints/{filed.number}", data={"act": "withdraw"}, headers=headers)
        assert refused.status_code == 403


def test_an_answer_is_judged_and_disagreed_with(gateway: Gateway, filed: Shown) -> None:
    desk, clerk = Actor(Party.OPERATOR, "zhou"), Actor(Party.UNIT, "li", UNIT)
    if filed.department is None:
        act(gateway, filed, Act.DISPATCH, desk, department=UNIT)
    else:
        clerk = Actor(Party.UNIT, "li", filed.department)
    act(gateway, filed, Act.SIGN, clerk)
    act(gateway, filed, Act.ANSWER, clerk, note="路灯已经修好")
    with opened(gateway, filed) as client:
        page = client.get(f"/complaints/{filed.number}")
        assert "路灯已经修好" in page.text
        token = gateway.services.casework.judgements.latest_token(f"complaint:{filed.number}")
        assert f"/judge/{token}" in page.text
        assert "不满意" in client.post(f"/judge/{token}", data={"level": "2"}).text
        again = client.post(f"/complaints/{filed.number}", data={"act": "reopen", "reason": "晚上还是不亮"})
        assert "重新" in again.text
        assert "正在重新派单" in again.text


def picture(kind: str = "JPEG", size: tuple[int, int] = (640, 480)) -> bytes:
    made = io.BytesIO()
    image = Image.new("RGB", size, "teal")
    exif = Image.Exif()
    exif[0x010F] = "Secret Phone Maker"
    image.save(made, kind, **({"exif": exif} if kind == "JPEG" else {}))
    return made.getvalue()


def upload(client: httpx.Client, content: bytes, name: str = "x.jpg", **fields: str) -> httpx.Response:
    return client.post("/api/v1/attachments", files={"picture": (name, content)}, data=fields)


def test_a_picture_is_made_anew_and_seen_by_its_conversation_alone(gateway: Gateway) -> None:
    with gateway.client() as client:
        first = gateway.say("你好")["conversation_id"]
        other = gateway.say("你好")["conversation_id"]
        sent: dict[str, Any] = {"conversation_id": first, "client_message_id": "a" * 32}
        kept = upload(client, picture(), **sent)
        assert kept.status_code == 201, kept.text
        assert upload(client, picture(), **sent).json()["id"] == kept.json()["id"]
        seen = client.get(kept.json()["url"])
        assert seen.headers["content-type"] == "image/jpeg"
        assert b"Secret Phone Maker" in picture()
        assert b"Secret Phone Maker" not in seen.content
        assert client.get(f"/api/v1/conversations/{other}/attachments/{kept.json()['id']}").status_code == 404
        assert client.get(f"/static/{kept.json()['id']}.jpg").status_code == 404
        events = client.get(f"/api/v1/conversations/{first}/events?after=0&wait=0").json()["events"]
        assert [event["kind"] for event in events].count("attachment") == 1


def test_a_picture_may_begin_a_conversation_and_belongs_to_the_complaint(gateway: Gateway) -> None:
    with gateway.client() as client:
        kept = upload(client, picture("PNG"), "photo.exe")
        assert kept.status_code == 201
        conversation = kept.json()["conversation_id"]
    text = "我要投诉，昨晚起南湖路68号的井盖松了，骑车的人都要绕，希望尽快修，电话13812345679"
    reply = gateway.say(text, conversation)
    [draft] = [message["draft"] for message in reply["messages"] if message["kind"] == "complaint_draft"]
    assert draft["attachments"] == 1


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"MZ this is a program", 422, "picture_unreadable"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", 422, "picture_unreadable"),
        (b"", 422, "picture_unreadable"),
        (b"\xff\xd8" + bytes(MOST_BYTES + 100_000), 413, "too_large"),
    ],
)
def test_what_is_no_picture_is_refused_and_leaves_nothing(
    gateway: Gateway, content: bytes, status: int, code: str
) -> None:
    with gateway.client() as client:
        refused = upload(client, content, "photo.jpg")
    assert (refused.status_code, refused.json()["error"]) == (status, code)
    assert refused.json()["remedy"]


def test_an_unknown_conversation_is_refused(gateway: Gateway) -> None:
    with gateway.client() as client:
        refused = upload(client, picture(), conversation_id="nobody")
    assert (refused.status_code, refused.json()["error"]) == (404, "conversation_not_found")


def test_without_the_script_a_picture_and_a_place_are_sent_by_forms(gateway: Gateway) -> None:
    with gateway.client(follow_redirects=True) as client:
        page = client.post("/chat/attachments", files={"picture": ("x.jpg", picture())})
        assert page.status_code == 200
        assert 'class="picture"' in page.text
        asked = client.post("/chat", data={"place": "幸福里小区东门"})
        assert "什么事" in asked.text
        refused = client.post("/chat/attachments", files={"picture": ("x.jpg", b"no")})
        assert "图片" in refused.text
