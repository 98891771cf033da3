"""The client against a real Rasa, and against servers that fail in the ways Rasa can."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from channels.rasa_client import RasaClient, RasaSilent, RasaUnavailable, spoken
from tests.rasa_server import RasaServer

PATIENT = 30.0
"""Seconds; the machine that runs the tests may be busy."""


async def test_a_turn_brings_the_payload_of_the_action_and_takes_the_metadata_there(rasa: RasaServer) -> None:
    async with RasaClient(rasa.url, PATIENT) as client:
        replies = await client.turn("c-1", "补办身份证要带什么", {"turn_id": "t-7"})

    assert replies == [{"action": "action_ask_matter"}]
    heard = rasa.actions.calls[-1]["tracker"]["latest_message"]
    assert heard["metadata"]["turn_id"] == "t-7"
    assert heard["intent"]["name"] == "ask_guide"
    assert heard["facets"][0]["name"] == "materials"


async def test_parse_tells_intent_facets_and_entities_in_original_places(rasa: RasaServer) -> None:
    async with RasaClient(rasa.url, PATIENT) as client:
        understood = await client.parse("帮我查下进度，办件号ＹＳ２６０３０９００１２")

    assert understood["intent"]["name"] == "query_case"
    (number,) = [entity for entity in understood["entities"] if entity["entity"] == "case_number"]
    assert number["value"] == "YS2603090012"
    assert understood["text"][number["start"] : number["end"]] == "ＹＳ２６０３０９００１２"


async def test_a_failing_action_is_silence_not_an_empty_answer(rasa: RasaServer) -> None:
    rasa.actions.failing = True
    async with RasaClient(rasa.url, PATIENT) as client:
        with pytest.raises(RasaSilent) as silence:
            await client.turn("c-2", "你好")

    assert silence.value.code == "rasa_silent"
    assert silence.value.remedy


async def test_an_unreachable_server_is_unavailable_and_unhealthy() -> None:
    async with RasaClient("http://127.0.0.1:9", 1.0) as client:
        with pytest.raises(RasaUnavailable) as unavailable:
            await client.turn("c-3", "你好")
        assert not await client.health()

    assert unavailable.value.as_dict()["error"] == "rasa_unavailable"
    assert unavailable.value.details


@contextlib.contextmanager
def _answering(status: int, body: bytes) -> Iterator[tuple[str, list[str]]]:
    """A server that gives the same answer to everything; its address and the requests it got."""
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            requests.append(self.requestline)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815  the library's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", requests
        finally:
            server.shutdown()
            thread.join(10)


@pytest.mark.parametrize(
    ("status", "body"), [(500, b"broken"), (200, b"<html>a proxy's page</html>"), (202, b'[{"custom": {}}]')]
)
async def test_any_other_answer_is_unavailable(status: int, body: bytes) -> None:
    with _answering(status, body) as (url, requests):
        async with RasaClient(url, PATIENT) as client:
            with pytest.raises(RasaUnavailable):
                await client.turn("c-4", "你好")
            assert not await client.health()
    assert requests == ["POST /webhooks/rest/webhook HTTP/1.1", "GET /webhooks/rest/ HTTP/1.1"]


async def test_a_server_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:  # connections wait here to be accepted, for ever
        async with RasaClient(f"http://127.0.0.1:{listening.getsockname()[1]}", 0.2) as client:
            with pytest.raises(RasaUnavailable):
                await client.turn("c-6", "你好")


async def test_a_running_server_is_healthy(rasa: RasaServer) -> None:
    async with RasaClient(rasa.url, PATIENT) as client:
        assert await client.health()


async def test_a_citizen_cannot_name_intents_with_a_slash(rasa: RasaServer) -> None:
    async with RasaClient(rasa.url, PATIENT) as client:
        await client.turn("c-5", "补办身份证去哪")
        await client.turn("c-5", "/restart")

    heard = rasa.actions.calls[-1]["tracker"]["latest_message"]
    assert heard["text"] == "／restart"
    assert [call["sender_id"] for call in rasa.actions.calls] == ["c-5", "c-5"]


def test_only_a_leading_slash_is_replaced() -> None:
    assert spoken(" /greet ") == "／greet"
    assert spoken("3/4的人") == "3/4的人"
