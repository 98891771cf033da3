"""The client, tokens and notices against the stand-in over HTTP: refreshes, refusals, silence."""

from __future__ import annotations

import asyncio
import contextlib
import json
import stat
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bot.clock import ZONE, SystemClock
from bot.errors import ConfigurationError
from bot.notifications.ports import Later, Outgoing, Refused, Sent, Unsure
from bot.store import Store
from bot.store.sealed import Sealer
from bot.wechat import inbox
from bot.wechat.model import Message, opened
from channels.wechat.account import DEMO_FILE, account_of
from channels.wechat.client import WeChatClient
from channels.wechat.faults import InDoubt, NotDone, Rejected
from channels.wechat.messenger import WeChatMessenger
from channels.wechat.notices import DoesNotFit, Notice, filled, fitted, load_notices, page_of
from tests.bot.conftest import any_empty_engine, any_engine, any_store
from tests.channels.wechat.conftest import Standin, account_at
from tests.gateway import settings_for

__all__ = ["any_empty_engine", "any_engine", "any_store"]

SEALER = Sealer(b"k" * 32)
NOW = datetime.now(ZONE)


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    with Standin().serving("http://127.0.0.1:9/wechat") as started:
        yield started


@contextlib.asynccontextmanager
async def client_of(base: str, store: Store) -> AsyncIterator[WeChatClient]:
    client = WeChatClient(account_at(base), store, SEALER, SystemClock())
    try:
        yield client
    finally:
        await client.close()


def following(standin: Standin, openid: str) -> None:
    """A citizen who has just written."""
    citizen = standin.platform.citizen(openid)
    citizen.followed = True
    citizen.windows = opened(citizen.windows, Message("text", openid, "gh", int(NOW.timestamp()), "1"), NOW)


async def test_many_at_once_fetch_one_token(standin: Standin, any_store: Store) -> None:
    standin.platform.tokens, standin.platform.token_fetches = {}, 0
    async with client_of(standin.base, any_store) as one, client_of(standin.base, any_store) as two:
        tokens = await asyncio.gather(*(client.tokens.get() for client in (one, two) for _ in range(20)))
    assert len(set(tokens)) == 1
    assert standin.platform.token_fetches == 1


async def test_a_token_the_platform_forgot_is_renewed_once(standin: Standin, store: Store) -> None:
    following(standin, "o-stale")
    async with client_of(standin.base, store) as client:
        await client.send_text("o-stale", "一")
        standin.platform.tokens = {}
        await client.send_text("o-stale", "二")
    assert [line.text for line in standin.lines("o-stale")] == ["一", "二"]


async def test_a_lasting_refusal_ends(store: Store) -> None:
    refusing = await asyncio.start_server(_refusing, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{refusing.sockets[0].getsockname()[1]}"
    async with refusing, client_of(base, store) as client:
        with pytest.raises(Rejected) as refused:
            await client.send_text("o1", "x")
    assert refused.value.errcode == 40001


async def _refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    body = b'{"access_token":"t","expires_in":7200}' if b"stable_token" in head else b'{"errcode":40001,"errmsg":"no"}'
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    await writer.drain()
    writer.close()


async def test_silence_after_sending_is_doubt_and_no_second_try(store: Store) -> None:
    posts: list[bytes] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"stable_token" in head:
            body = b'{"access_token":"t","expires_in":7200}'
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
        else:
            posts.append(head)
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, client_of(base, store) as client:
        with pytest.raises(InDoubt):
            await client.send_text("o1", "x")
    assert len(posts) == 1


async def test_nobody_there_is_not_done(store: Store) -> None:
    async with client_of("http://127.0.0.1:9", store) as client:
        with pytest.raises(NotDone):
            await client.send_text("o1", "x")


async def test_the_platforms_refusals_come_with_a_meaning(standin: Standin, store: Store) -> None:
    following(standin, "o-full")
    async with client_of(standin.base, store) as client:
        for _ in range(5):
            await client.send_text("o-full", "x")
        with pytest.raises(Rejected, match="条数用完") as used_up:
            await client.send_text("o-full", "x")
        assert used_up.value.errcode == 45047
        with pytest.raises(Rejected) as unknown:
            await client.send_text("o-unknown", "x")
        assert unknown.value.errcode == 40003
        following(standin, "o-long")
        with pytest.raises(Rejected) as long:
            await client.send_text("o-long", "字" * 700)
        assert long.value.errcode == 45002


OUTGOING = Outgoing(
    "k1", "case.accepted", {"matter": "居民身份证有效期满换领", "number": "YS1", "due": ""}, "您的办件已受理。"
)
NOTICE = Notice("T-accepted", {"thing1": "matter", "character_string2": "number", "thing3": "due"})


async def test_a_notice_goes_by_its_template_where_it_is_wanted(standin: Standin, store: Store) -> None:
    following(standin, "o-wants")
    standin.platform.citizens["o-wants"].consents.add("T-accepted")
    async with client_of(standin.base, store) as client:
        messenger = WeChatMessenger(client, store, {"case.accepted": NOTICE})
        assert await messenger.deliver("o-wants", OUTGOING, NOW) == Sent()
    assert standin.lines("o-wants")[-1].text.startswith("thing1：居民身份证")
    assert standin.lines("o-wants")[-1].how == "订阅通知 T-accepted"


async def test_else_as_a_message_while_the_window_is_open(standin: Standin, store: Store) -> None:
    following(standin, "o-open")
    async with client_of(standin.base, store) as client:
        messenger = WeChatMessenger(client, store, {"case.accepted": NOTICE})
        closed = await messenger.deliver("o-open", OUTGOING, NOW)
        assert isinstance(closed, Refused)
        assert closed.code == "window_closed"
        with store.write() as work:
            message = Message("text", "o-open", "gh", int(NOW.timestamp()), "1")
            inbox.take_in(work.session, message, "i" * 64, "a", NOW)
        assert await messenger.deliver("o-open", OUTGOING, NOW) == Sent()
    assert standin.lines("o-open")[-1].text == OUTGOING.text


async def test_how_a_delivery_fails_is_told_apart(standin: Standin, store: Store) -> None:
    with store.write() as work:
        for number, openid in enumerate(("o-gone", "o-later")):
            inbox.take_in(
                work.session, Message("text", openid, "gh", int(NOW.timestamp()), "1"), f"{number}" * 64, "a", NOW
            )
    async with client_of(standin.base, store) as client:
        gone = await WeChatMessenger(client, store, {}).deliver("o-gone", OUTGOING, NOW)
        assert isinstance(gone, Refused)
        assert gone.code == "not_a_follower"
    async with client_of("http://127.0.0.1:9", store) as client:
        later = await WeChatMessenger(client, store, {}).deliver("o-later", OUTGOING, NOW)
        assert isinstance(later, Later | Unsure)
    with store.read() as session:
        assert inbox.known(session, "o-later").windows.left(NOW) == 5, "what was not sent is not counted"


@pytest.mark.parametrize(
    ("field", "value", "fits"),
    [
        ("thing1", "字" * 20, "字" * 20),
        ("thing1", "字" * 21, "字" * 19 + "…"),
        ("phrase2", "正在办理中了", "正在办理…"),
        ("thing1", "两\n行", "两 行"),
        ("date3", "2026年11月22日 10:00", "2026年11月22日 10:00"),
    ],
)
def test_values_fit_their_fields(field: str, value: str, fits: str) -> None:
    assert fitted(field, value) == fits


@pytest.mark.parametrize(
    ("page", "values", "opened"),
    [
        (None, {"judge": "http://h/judge/1", "link": "http://h/complaints/1"}, "http://h/judge/1"),
        (None, {"judge": "", "link": "http://h/complaints/1"}, "http://h/complaints/1"),
        ("link", {"judge": "http://h/judge/1", "link": "http://h/complaints/1"}, "http://h/complaints/1"),
        ("link", {"judge": "http://h/judge/1"}, None),
        (None, {}, None),
    ],
)
def test_a_notice_opens_the_question_how_it_went(page: str | None, values: dict[str, str], opened: str | None) -> None:
    assert page_of(Notice("T", {"thing1": "matter"}, page), values) == opened


def test_numbers_and_dates_are_never_cut() -> None:
    with pytest.raises(DoesNotFit):
        filled(Notice("T", {"character_string1": "number"}), {"number": "1" * 21})


@pytest.mark.parametrize(
    "content",
    [
        "[a",
        '["case.x"]\nfields = {thing1 = "a"}',
        '["x"]\ntemplate_id = "t"',
        "x = 1",
        '["x"]\ntemplate_id="t"\nfields={"1"="a"}',
    ],
)
def test_a_faulty_file_of_notices_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "wechat-notices.toml").write_text(content, "utf-8")
    with pytest.raises(ConfigurationError, match="wechat-notices"):
        load_notices(settings_for(tmp_path))


def test_the_account_of_a_home_is_drawn_once_and_kept_to_its_owner(tmp_path: Path) -> None:
    first, second = account_of(settings_for(tmp_path)), account_of(settings_for(tmp_path))
    assert first == second
    assert first is not None
    assert first.demo
    assert first.adapter(encrypted_only=True)
    assert stat.S_IMODE((tmp_path / DEMO_FILE).stat().st_mode) == 0o600
    assert set(json.loads((tmp_path / DEMO_FILE).read_text())) == {"token", "app_id", "aes_keys", "secret"}


def test_a_key_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="WENBAN_WECHAT_AES_KEY"):
        account_of(settings_for(tmp_path, wechat_token="t", wechat_aes_key="short"))


@pytest.mark.parametrize("given", [{}, {"wechat_token": "t"}, {"wechat_token": "t", "wechat_app_id": "wx1"}])
def test_production_has_no_account_of_its_own_and_wants_encryption(tmp_path: Path, given: dict[str, Any]) -> None:
    production = {"environment": "production", "secret_key": "s" * 40, "data_key": "0" * 64, "rate_limit": "on"}
    if given:
        with pytest.raises(ConfigurationError, match="安全模式"):
            settings_for(tmp_path, **production, **given)
    else:
        assert account_of(settings_for(tmp_path, **production)) is None
