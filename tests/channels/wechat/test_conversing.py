"""Citizens in WeChat, through the platform's stand-in and the running gateway: every kind of message and event."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
import structlog
from PIL import Image

from bot.attachments.model import Attachment
from bot.wechat import inbox, repository
from channels.security import MAX_BODY
from channels.wechat.adapter import signed
from channels.wechat.simulator.posting import Poster, message_xml
from tests.channels.wechat.conftest import OLD_KEY, Town
from tests.gateway import sample_guides

CODE = next(row["code"] for row in sample_guides() if row["name"] == "居民身份证有效期满换领")


def test_a_question_is_answered_as_the_reply(town: Town) -> None:
    outcome = town.standin.text("asks", "居民身份证有效期满换领要多少钱？")
    assert outcome.text is not None
    assert "20" in outcome.text
    assert "来源" in outcome.text
    assert "1. " in outcome.text, "choices are numbered"
    assert outcome.posts == 1


def test_a_digit_picks_and_the_conversation_goes_on(town: Town) -> None:
    town.standin.text("goes-on", "居民身份证有效期满换领要带什么？")
    fees = town.standin.text("goes-on", "那多少钱？")
    assert fees.text is not None
    assert "20" in fees.text
    picked = town.standin.text("goes-on", "1")
    assert picked.text is not None
    assert picked.text != fees.text


def test_voice_is_taken_by_what_was_recognised(town: Town) -> None:
    heard = town.standin.say("speaks", "voice", MediaId="m", Format="amr", Recognition="居民身份证有效期满换领多少钱")
    assert heard.text is not None
    assert heard.text.startswith("（听到的是：居民身份证")
    assert "20" in heard.text
    unheard = town.standin.say("speaks", "voice", MediaId="m2", Format="amr", Recognition="")
    assert unheard.text is not None
    assert "没有听清" in unheard.text


def test_following_greets_and_a_digit_takes_from_the_menu(town: Town) -> None:
    greeting = town.standin.event("follows", "subscribe")
    assert greeting.text is not None
    assert greeting.text.splitlines()[-1].startswith("4. ")
    human = town.standin.text("follows", "4")
    assert human.text is not None
    assert "12345" in human.text
    again = town.standin.text("follows", "居民身份证有效期满换领要带什么？")
    assert "居民户口簿" in (again.text or "")


def test_a_menu_press_says_its_words(town: Town) -> None:
    pressed = town.standin.event("presses", "CLICK", "say:居民身份证有效期满换领要多少钱")
    assert "20" in (pressed.text or "")
    old = town.standin.event("presses", "CLICK", "no-such-key")
    assert "菜单" in (old.text or "")


def test_a_windows_code_opens_its_matter(town: Town) -> None:
    scanned = town.standin.event("scans", "SCAN", CODE)
    assert "居民身份证有效期满换领" in (scanned.text or "")
    town.standin.event("scans-first", "subscribe", f"qrscene_{CODE}")
    assert "居民身份证有效期满换领" in "".join(line.text for line in town.standin.lines("scans-first"))
    unknown = town.standin.event("scans", "SCAN", "poster")
    assert "没有找到" in (unknown.text or "")


@pytest.mark.parametrize("event", ["unsubscribe", "VIEW", "LOCATION", "TEMPLATESENDJOBFINISH", "a_new_event"])
def test_events_nobody_waits_for_are_let_be(town: Town, event: str) -> None:
    outcome = town.standin.event("quiet", event, "x")
    assert outcome.text is None
    assert outcome.fault is None


@pytest.mark.parametrize("kind", ["video", "shortvideo", "link", "miniprogrampage"])
def test_kinds_it_cannot_read_are_answered_with_a_way_on(town: Town, kind: str) -> None:
    outcome = town.standin.say("sends", kind, Title="t", Url="http://x")
    assert "打字" in (outcome.text or "")


def picture(exif: bytes = b"") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (400, 300), "teal").save(made, "JPEG", exif=exif)
    return made.getvalue()


def test_a_picture_and_a_place_belong_to_what_is_talked_about(town: Town) -> None:
    town.standin.text("shows", "我要投诉楼下占道经营")
    media = town.standin.platform.keep_media(picture(b"Exif\x00\x00MM"), "image/jpeg")
    kept = town.standin.say("shows", "image", PicUrl="", MediaId=media)
    assert "照片收到了" in (kept.text or "")
    placed = town.standin.say(
        "shows", "location", Location_X="25.27", Location_Y="110.29", Scale="16", Label="东湖公园"
    )
    assert "东湖公园" in (placed.text or "")
    attachments = _attachments(town, "shows")
    assert [each.kind for each in attachments] == ["picture", "place"]
    assert attachments[1].label == "东湖公园"
    _, content = town.gateway.services.attachments.content(attachments[0].id)
    assert Image.open(io.BytesIO(content)).size == (400, 300)
    assert "exif" not in Image.open(io.BytesIO(content)).info


def test_a_picture_before_the_first_word_joins_the_conversation(town: Town) -> None:
    media = town.standin.platform.keep_media(picture(), "image/jpeg")
    town.standin.say("shows-first", "image", PicUrl="", MediaId=media)
    town.standin.text("shows-first", "护照怎么办")
    assert len(_attachments(town, "shows-first")) == 1


def test_what_is_no_picture_is_refused_kindly(town: Town) -> None:
    media = town.standin.platform.keep_media(b"<svg onload='alert(1)'/>", "image/jpeg")
    assert "打不开" in (town.standin.say("tricks", "image", PicUrl="", MediaId=media).text or "")
    assert "没有取到" in (town.standin.say("tricks", "image", PicUrl="", MediaId="gone").text or "")


def test_consent_to_notices_is_kept(town: Town) -> None:
    work = town.standin.platform.nested_event(
        "consents",
        "subscribe_msg_popup_event",
        "SubscribeMsgPopupEvent",
        {"TemplateId": "T1", "SubscribeStatusString": "accept", "PopupScene": "1"},
        "同意",
    )
    assert town.standin.run(work).fault is None
    with town.gateway.services.store.read() as session:
        consent = repository.consent(session, "consents", "T1")
        assert consent is not None
        assert consent.accepted


@contextlib.contextmanager
def posting(town: Town, **options: str) -> Iterator[None]:
    """The platform posts in another way for a while."""
    usual = town.standin.platform.poster
    town.standin.platform.poster = Poster(f"{town.gateway.url}/wechat", town.standin.account, **options)
    try:
        yield
    finally:
        town.standin.run(town.standin.platform.poster.close())
        town.standin.platform.poster = usual


@pytest.mark.parametrize("mode", ["plain", "compatible", "encrypted"])
def test_every_mode_is_understood(town: Town, mode: str) -> None:
    with posting(town, mode=mode):
        assert "您好" in (town.standin.text(f"mode-{mode}", "你好").text or "")


def test_the_previous_key_is_accepted_and_answered_with(town: Town) -> None:
    with posting(town, key=OLD_KEY):
        assert "您好" in (town.standin.text("old-key", "你好").text or "")


def test_the_server_url_is_verified(town: Town) -> None:
    assert town.standin.run(town.standin.platform.poster.verified())
    with town.gateway.client() as client:
        refused = client.get("/wechat", params={"signature": "0" * 40, "timestamp": "1", "nonce": "n", "echostr": "e"})
        assert refused.status_code == 403
        assert client.get("/wechat").status_code == 400
        assert client.post("/wechat", content=b"<xml/>").status_code == 400


@pytest.mark.parametrize(
    ("reason", "status"), [("signature", 403), ("stale", 403), ("appid", 403), ("xml", 400), ("too_large", 413)]
)
def test_a_refused_post_is_one_line_of_the_log(town: Town, reason: str, status: int) -> None:
    query, body = refused_post(town, reason)
    with town.gateway.client() as client, structlog.testing.capture_logs() as lines:
        response = client.post("/wechat", params=query, content=body, headers={"Content-Type": "text/xml"})
    assert response.status_code == status
    told = [line for line in lines if line["log_level"] != "debug"]
    assert [(line["event"], line["reason"]) for line in told] == [("wechat_refused", reason)]
    assert told[0]["remedy"]
    assert "Traceback" not in response.text


def refused_post(town: Town, reason: str) -> tuple[dict[str, str], bytes]:
    """A post that is refused for ``reason``, otherwise as the platform's."""
    account = town.standin.account
    xml = message_xml("text", "refused", "gh", {"Content": "你好"}, message_id=1)
    if reason == "appid":
        account = replace(account, app_id="wxffffffffffffffff")
    poster = Poster(town.gateway.url, account, mode="encrypted" if reason == "appid" else "plain")
    query, body = poster.wrapped(xml)
    town.standin.run(poster.close())
    if reason == "signature":
        query["signature"] = "0" * 40
    elif reason == "stale":
        query["timestamp"] = str(int(query["timestamp"]) - 3600)
        query["signature"] = signed(account.token, query["timestamp"], query["nonce"])
    elif reason == "xml":
        body = b'<!DOCTYPE xml [<!ENTITY a "b">]>' + body.replace("你好".encode(), b"]]>&a;<![CDATA[")
    elif reason == "too_large":
        body = body.replace("你好".encode(), b"x" * MAX_BODY)
    return query, body


def _attachments(town: Town, openid: str) -> list[Attachment]:
    with town.gateway.services.store.read() as session:
        known = inbox.known(session, openid)
    assert known.conversation_id is not None
    return town.gateway.services.attachments.of_conversation(known.conversation_id)
