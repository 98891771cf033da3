"""The adapter: agreement with wechatpy both ways, every guard, and nothing but its own error whatever is posted."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import xmltodict
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.replies import TextReply

from bot.clock import ZONE
from bot.wechat.model import Message
from channels.wechat.adapter import LONGEST_BODY, Adapter, Refused, in_cdata, reply_xml, signed
from tests.channels.wechat.conftest import APP_ID, KEY, OLD_KEY, TOKEN

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=ZONE)
STAMP = str(int(NOW.timestamp()))
NONCE = "n0nce"
FUZZED = int(os.environ.get("FUZZ_BODIES", "3000"))
"""Bodies of the fuzz run; the full run has 100,000 (docs/wechat.md)."""
TEXTS = (
    "身份证丢了",
    "]]>",
    "<b>&amp;</b>",
    "😀👨‍👩‍👧",
    " 空 格 ",
    "a\nb\tc",
    "]]]]>>",
    "&lt;!ENTITY",
    "０１２",
    "x" * 600,
)
FIELDS = {
    "text": ("Content",),
    "image": ("PicUrl", "MediaId"),
    "voice": ("MediaId", "Format", "Recognition"),
    "video": ("MediaId", "ThumbMediaId"),
    "shortvideo": ("MediaId", "ThumbMediaId"),
    "location": ("Location_X", "Location_Y", "Scale", "Label"),
    "link": ("Title", "Description", "Url"),
}
EVENTS = ("subscribe", "unsubscribe", "SCAN", "CLICK", "VIEW", "LOCATION", "TEMPLATESENDJOBFINISH")


@pytest.fixture(scope="module")
def adapter() -> Adapter:
    return Adapter(TOKEN, APP_ID, (KEY, OLD_KEY))


def query(*more: str, **changes: str) -> dict[str, str]:
    made = {"signature": signed(TOKEN, STAMP, NONCE), "timestamp": STAMP, "nonce": NONCE}
    if more:
        made |= {"encrypt_type": "aes", "msg_signature": signed(TOKEN, STAMP, NONCE, *more)}
    return made | changes


def encrypted(xml: str, key: str = KEY, app_id: str = APP_ID) -> tuple[dict[str, str], bytes]:
    """As the platform would post ``xml``, made by wechatpy."""
    made = WeChatCrypto(TOKEN, key, app_id).encrypt_message(xml, NONCE, STAMP)
    inner = xmltodict.parse(made)["xml"]["Encrypt"]
    return query(inner), f"<xml><Encrypt><![CDATA[{inner}]]></Encrypt></xml>".encode()


def drawn(draw: random.Random) -> tuple[str, dict[str, str]]:
    """A random message as XML, and its fields."""
    fields = {
        "ToUserName": "gh_1",
        "FromUserName": f"o{draw.randrange(10**9)}",
        "CreateTime": str(draw.randrange(1, 2**31)),
    }
    if draw.random() < 0.3:
        event = draw.choice(EVENTS)
        fields |= {"MsgType": "event", "Event": event, "EventKey": draw.choice(("", "V1", "qrscene_11A", "say:你好"))}
    else:
        kind = draw.choice(list(FIELDS))
        fields |= {"MsgType": kind, "MsgId": str(draw.randrange(1, 2**63))}
        fields |= {name: draw.choice(TEXTS) * draw.randrange(3) for name in FIELDS[kind]}
    inner = "".join(f"<{name}><![CDATA[{in_cdata(value)}]]></{name}>" for name, value in fields.items())
    return f"<xml>{inner}</xml>", fields


def message(**changes: str) -> Message:
    return Message("text", "o1", "gh_1", 1, "1", fields={"Content": "x", **changes})


def xml(**fields: str) -> str:
    every = {"ToUserName": "gh_1", "FromUserName": "o1", "CreateTime": STAMP, "MsgType": "text", "MsgId": "1"} | fields
    return "<xml>" + "".join(f"<{n}><![CDATA[{v}]]></{n}>" for n, v in every.items() if v) + "</xml>"


def test_what_wechatpy_encrypts_reads_the_same_here(adapter: Adapter) -> None:
    draw = random.Random(20261122)
    for _ in range(1000):
        text, _fields = drawn(draw)
        opened = adapter.open(*encrypted(text, draw.choice((KEY, OLD_KEY))), NOW).message
        theirs = parse_message(text)
        assert (opened.openid, opened.account, opened.sent_at) == (theirs.source, theirs.target, theirs.time)
        if opened.kind != "event":
            assert int(opened.message_id) == theirs.id
            assert opened.kind == theirs.type
            assert {n: v for n, v in opened.fields.items() if v} == {
                n: v for n, v in theirs._data.items() if n in FIELDS[opened.kind] and v
            }
        else:
            assert opened.event in {theirs.event, theirs.event.removesuffix("_scan")}
            assert opened.fields["EventKey"] == (theirs._data.get("EventKey") or "")


def test_what_is_sealed_here_wechatpy_decrypts_to_the_same(adapter: Adapter) -> None:
    draw = random.Random(7)
    for _ in range(1000):
        key = draw.choice((KEY, OLD_KEY))
        envelope = adapter.open(*encrypted(drawn(draw)[0], key), NOW)
        text = draw.choice(TEXTS) + draw.choice(TEXTS)
        outer = xmltodict.parse(adapter.sealed(envelope, text, NOW))["xml"]
        crypto = WeChatCrypto(TOKEN, key, APP_ID)
        plain = crypto.decrypt_message({"Encrypt": outer["Encrypt"]}, outer["MsgSignature"], outer["TimeStamp"], NONCE)
        reply = xmltodict.parse(plain, strip_whitespace=False)["xml"]
        assert reply["Content"] == text
        assert (reply["ToUserName"], reply["FromUserName"]) == (envelope.message.openid, envelope.message.account)
        assert reply["CreateTime"] == STAMP


def test_plain_replies_agree_with_wechatpy(adapter: Adapter) -> None:
    envelope = adapter.open(query(), xml(Content="你好").encode(), NOW)
    theirs = TextReply(message=parse_message(xml(Content="你好")), content="好的", time=int(STAMP)).render()
    assert adapter.sealed(envelope, "好的", NOW).decode() == theirs


def test_a_reply_cannot_break_out_of_its_cdata() -> None:
    hostile = "a]]><MsgType>image</MsgType><![CDATA[\x00\x08\ud800b￾"
    reply = xmltodict.parse(reply_xml(message(), hostile, NOW))["xml"]
    assert reply["MsgType"] == "text"
    assert reply["Content"] == "a]]><MsgType>image</MsgType><![CDATA[b"


def test_the_check_of_the_server_url(adapter: Adapter) -> None:
    assert adapter.verify(query(echostr="12345"), NOW) == "12345"
    with pytest.raises(Refused, match="签名"):
        adapter.verify(query(echostr="1", signature="0" * 40), NOW)


ENTITY = '<!DOCTYPE xml [<!ENTITY a "x"><!ENTITY b "&a;&a;">]>' + xml(Content="").replace(
    "</xml>", "<Content>&b;</Content></xml>"
)
EXTERNAL = '<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><MsgType>&a;</MsgType></xml>'


@pytest.mark.parametrize(
    ("reason", "given"),
    [
        ("signature", lambda: (query(signature="0" * 40), xml().encode())),
        ("stale", lambda: (_at(NOW - timedelta(minutes=6)), xml().encode())),
        ("stale", lambda: (_at(NOW + timedelta(minutes=6)), xml().encode())),
        ("query", lambda: ({}, xml().encode())),
        ("query", lambda: (query(timestamp="-1"), xml().encode())),
        ("query", lambda: (query(encrypt_type="rot13"), xml().encode())),
        ("too_large", lambda: (query(), b"<xml>" + b" " * LONGEST_BODY)),
        ("xml", lambda: (query(), b"")),
        ("xml", lambda: (query(), b"\xff\xfe")),
        ("xml", lambda: (query(), b"<xml><MsgType>text")),
        ("xml", lambda: (query(), b"<other/>")),
        ("xml", lambda: (query(), b"<xml>text</xml>")),
        ("xml", lambda: (query(), ENTITY.encode())),
        ("xml", lambda: (query(), EXTERNAL.encode())),
        ("field", lambda: (query(), xml(FromUserName="o 1").encode())),
        ("field", lambda: (query(), xml(MsgId="").encode())),
        ("field", lambda: (query(), xml(MsgId="x").encode())),
        ("field", lambda: (query(), xml(MsgType="event").encode())),
        ("xml", lambda: (query(), xml(CreateTime="soon").encode())),
        ("encrypted", lambda: (query("x"), b"<xml><Encrypt></Encrypt></xml>")),
        ("encrypted", lambda: (query("!!"), b"<xml><Encrypt>!!</Encrypt></xml>")),
        (
            "appid",
            lambda: (query("AAAAAAAAAAAAAAAAAAAAAA=="), b"<xml><Encrypt>AAAAAAAAAAAAAAAAAAAAAA==</Encrypt></xml>"),
        ),
        ("appid", lambda: encrypted(xml(), app_id="wxffffffffffffffff")),
        ("appid", lambda: encrypted(xml(), key="z" * 42 + "A")),
        ("signature", lambda: (query("other"), encrypted(xml())[1])),
    ],
)
def test_what_is_not_right_is_refused_by_its_reason(
    adapter: Adapter, reason: str, given: Callable[[], tuple[dict[str, str], bytes]]
) -> None:
    with pytest.raises(Refused) as refused:
        adapter.open(*given(), NOW)
    assert refused.value.reason == reason
    assert 400 <= refused.value.status < 500
    assert refused.value.remedy


def _at(moment: datetime) -> dict[str, str]:
    stamp = str(int(moment.timestamp()))
    return {"signature": signed(TOKEN, stamp, NONCE), "timestamp": stamp, "nonce": NONCE}


def test_production_takes_the_encrypted_mode_only() -> None:
    strict = Adapter(TOKEN, APP_ID, (KEY,), encrypted_only=True)
    with pytest.raises(Refused) as refused:
        strict.open(query(), xml().encode(), NOW)
    assert refused.value.reason == "plain"
    assert strict.open(*encrypted(xml()), NOW).message.kind == "text"
    with pytest.raises(ValueError, match="key"):
        Adapter(TOKEN, APP_ID, (), encrypted_only=True)


def test_whatever_is_posted_only_the_adapters_own_error_comes_out(adapter: Adapter) -> None:
    draw = random.Random(int(os.environ.get("FUZZ_SEED", "1")))
    refused = 0
    for _ in range(FUZZED):
        asked, body = _fuzzed(draw)
        try:
            envelope = adapter.open(asked, body, NOW)
        except Refused:
            refused += 1
        else:
            assert isinstance(envelope.message, Message)
            adapter.sealed(envelope, "好的", NOW)
    assert refused > FUZZED * 0.3


def _fuzzed(draw: random.Random) -> tuple[dict[str, str], bytes]:
    """A post gone wrong: random bytes, damaged XML, damaged ciphertext under a right signature, odd queries."""
    way = draw.randrange(6)
    text = drawn(draw)[0]
    if way == 0:
        return query(), draw.randbytes(draw.randrange(400))
    if way == 1:
        return query(), _damaged(draw, text.encode())
    if way == 2:
        tags = "".join(f"<{draw.choice('abMsgTypeFromUserName')}>" for _ in range(draw.randrange(40)))
        return query(), f"<xml>{tags}<MsgType>{draw.choice(TEXTS)}</MsgType>{text}</xml>".encode()
    if way == 3:
        outer = xmltodict.parse(encrypted(text)[1])["xml"]["Encrypt"].encode()
        inner = _damaged(draw, outer).decode("latin-1")
        body = f"<xml><Encrypt><![CDATA[{in_cdata(inner)}]]></Encrypt></xml>".encode()
        try:
            told = xmltodict.parse(body)["xml"]["Encrypt"] or ""
        except Exception:
            told = ""
        return query(told), body
    if way == 4:
        junk = _damaged(draw, text.encode()).decode("utf-8", "replace")
        return encrypted(junk or "x")
    asked, body = encrypted(text)
    asked[draw.choice(list(asked))] = draw.choice(("", "é", "0" * 300, "]]>", "١٢٣", "\x00", "-5", "1e9"))
    return asked, body


def _damaged(draw: random.Random, body: bytes) -> bytes:
    made = bytearray(body)
    for _ in range(draw.randrange(1, 6)):
        at = draw.randrange(len(made) + 1)
        how = draw.randrange(4)
        if how == 0 and at < len(made):
            made[at] = draw.randrange(256)
        elif how == 1:
            del made[at : at + draw.randrange(20)]
        elif how == 2:
            made[at:at] = draw.choice((b"<", b"]]>", b"&#0;", b"<!DOCTYPE x>", b"\xed\xa0\x80", b"&a;", b"<MsgType/>"))
        else:
            made[at:at] = made[: draw.randrange(60)]
    return bytes(made)


@pytest.mark.parametrize("shown", ["é" * 40, "0" * 40, "", "0" * 200])
def test_odd_signatures_are_refused_like_any_other(adapter: Adapter, shown: str) -> None:
    with pytest.raises(Refused):
        adapter.open(query(signature=shown), xml().encode(), NOW)
