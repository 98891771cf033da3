"""Text messages: what a real HTTP gateway gets, and how its answers are understood."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.clock import FixedClock
from bot.errors import ConfigurationError
from bot.notifications.ports import Later, Outgoing, Refused, Sent, Unsure
from bot.settings import load_settings
from bot.store import Store
from bot.store.sealed import Sealer
from channels.messengers import make_messengers
from channels.sms import FILE, FileSms, HttpSms

SEALER = Sealer(b"k" * 32)
OUTGOING = Outgoing("YS1:accepted", "case.accepted", {"number": "YS1"}, '【云山市】"您好"\n受理了')


class Operator(ThreadingHTTPServer):
    """An SMS gateway on this machine that remembers and answers as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, str, dict[str, str], str]] = []
        self.status, self.answer, self.headers = 200, b'{"code": 0}', {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/send"


class _Handler(BaseHTTPRequestHandler):
    server: Operator

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.server.requests.append((self.command, self.path, dict(self.headers), body))
        if self.server.status == 0:
            self.close_connection = True
            return
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def operator() -> Iterator[Operator]:
    server = Operator()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


async def send(url: str, clock: FixedClock, **settings: Any) -> Any:
    sms = HttpSms(load_settings(sms_url=url, **settings))
    try:
        return await sms.deliver("13900001234", OUTGOING, clock.now())
    finally:
        await sms.close()


async def test_the_gateway_gets_json_with_everything_escaped(operator: Operator, clock: FixedClock) -> None:
    headers = '{"Content-Type": "application/json", "Authorization": "Bearer {secret}"}'
    assert await send(operator.url, clock, sms_secret="s3cret", sms_headers=headers) == Sent()
    [(method, path, got, body)] = operator.requests
    assert (method, path, got["Authorization"]) == ("POST", "/send", "Bearer s3cret")
    assert json.loads(body) == {"phone": "13900001234", "text": OUTGOING.text, "id": OUTGOING.key}


async def test_or_a_form_or_a_query(operator: Operator, clock: FixedClock) -> None:
    form = {"sms_headers": '{"Content-Type": "application/x-www-form-urlencoded"}', "sms_body": "m={phone}&t={text}"}
    assert await send(operator.url, clock, **form) == Sent()
    assert httpx.QueryParams(operator.requests[0][3])["t"] == OUTGOING.text
    assert await send(operator.url + "?to={phone}&text={text}", clock, sms_method="GET") == Sent()
    method, path, _, body = operator.requests[1]
    assert (method, body) == ("GET", "")
    assert httpx.URL(path).params["text"] == OUTGOING.text


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (429, {"Retry-After": "30"}, Later),
        (503, {}, Later),
        (400, {}, Refused),
        (403, {}, Refused),
        (500, {}, Unsure),
        (0, {}, Unsure),
    ],
)
async def test_every_answer_has_its_meaning(
    operator: Operator, clock: FixedClock, status: int, headers: dict[str, str], kind: type
) -> None:
    operator.status, operator.headers = status, headers
    ended = await send(operator.url, clock)
    assert isinstance(ended, kind)
    if isinstance(ended, Later) and headers:
        assert ended.retry_at == clock.now() + timedelta(seconds=30)
    assert len(operator.requests) == 1


async def test_success_may_be_known_by_the_body_alone(operator: Operator, clock: FixedClock) -> None:
    assert await send(operator.url, clock, sms_accepted=r'"code":\s*0\b') == Sent()
    operator.answer = b'{"code": 17, "message": "no credit"}'
    ended = await send(operator.url, clock, sms_accepted=r'"code":\s*0\b')
    assert isinstance(ended, Refused)
    assert ended.code == "not_accepted"


async def test_where_nothing_listens_it_was_certainly_not_sent(clock: FixedClock) -> None:
    assert isinstance(await send("http://127.0.0.1:9/send", clock), Later)


@pytest.mark.parametrize(
    ("name", "value"),
    [("sms_body", '{"phone": "{phone}"}'), ("sms_headers", "[]"), ("sms_headers", "x"), ("sms_accepted", "(")],
)
def test_templates_that_make_no_request_are_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"WENBAN_{name.upper()}"):
        HttpSms(load_settings(**{"sms_url": "http://h/", name: value}))


async def test_development_writes_a_file_that_only_the_owner_reads(tmp_path: Path, clock: FixedClock) -> None:
    sms = FileSms(tmp_path)
    for _ in range(2):
        assert await sms.deliver("13900001234", OUTGOING, clock.now()) == Sent()
    lines = (tmp_path / FILE).read_text("utf-8").splitlines()
    assert [json.loads(line)["phone"] for line in lines] == ["13900001234"] * 2
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_production_without_a_gateway_sends_no_text_messages(store: Store, clock: FixedClock) -> None:
    safe = {"environment": "production", "secret_key": "k" * 40, "data_key": "0" * 64}
    channels = [m.channel for m in make_messengers(load_settings(**safe), store, SEALER, clock)]
    assert "sms" not in channels
    assert "sms" in [m.channel for m in make_messengers(load_settings(), store, SEALER, clock)]
