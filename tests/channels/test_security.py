"""Bounds on size, time and rate, and errors nobody foresaw."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from bot.settings import load_settings
from channels import errors
from channels.security import Bounds, LimitReached, RateLimiter
from channels.web.pages import Pages
from index.encoder import Encoder
from tests.gateway import running, settings_for


def _edge(tmp_path: Path, **bounds: Any) -> FastAPI:
    """The edge's middlewares around routes that misbehave."""
    pages = Pages(load_settings(home=tmp_path))
    app = FastAPI()

    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError("secret detail 4711")

    @app.get("/sleepy")
    async def sleepy() -> None:
        await asyncio.Event().wait()

    @app.post("/read")
    async def read(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    errors.install(app, pages)
    app.add_middleware(Bounds, **bounds)
    app.add_middleware(errors.Incidents, pages=pages)
    return app


def _client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://edge")


async def test_an_unforeseen_error_tells_the_client_an_incident_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with _client(_edge(tmp_path)) as client:
        response = await client.get("/boom")
        page = await client.get("/boom", headers={"Accept": "text/html"})
    assert response.status_code == page.status_code == 500
    incident = response.json()["incident"]
    assert incident in response.json()["remedy"]
    for answer in (response, page):
        assert "4711" not in answer.text
        assert "Traceback" not in answer.text
    lines = [line for line in capsys.readouterr().out.splitlines() if incident in line]
    assert len(lines) == 1
    assert "4711" in lines[0]


async def test_an_answer_that_does_not_begin_is_given_up(tmp_path: Path) -> None:
    async with _client(_edge(tmp_path, answer_s=0.05)) as client:
        response = await client.get("/sleepy")
    assert response.status_code == 503
    assert response.json()["error"] == "timeout"


async def test_a_body_may_not_grow_past_the_bound(tmp_path: Path) -> None:
    async def pieces() -> Any:
        for _ in range(20):
            yield b"x" * 100

    async with _client(_edge(tmp_path, max_body=1024)) as client:
        assert (await client.post("/read", content=b"x" * 1024)).json() == {"bytes": 1024}
        for content in (b"x" * 1025, pieces()):
            response = await client.post("/read", content=content)
            assert response.status_code == 413
            assert response.json()["remedy"]


async def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    async def never() -> Any:
        yield b"x"
        await asyncio.Event().wait()

    async with _client(_edge(tmp_path, read_s=0.05)) as client:
        response = await client.post("/read", content=never())
    assert response.status_code == 503
    assert response.json()["error"] == "slow_body"


async def test_the_limit_says_when_to_come_back() -> None:
    limiter = RateLimiter(on=True)
    for _ in range(RateLimiter.TURNS_BY_CONVERSATION.amount):
        await limiter.check(RateLimiter.TURNS_BY_CONVERSATION, "turn", "a")
    with pytest.raises(LimitReached) as reached:
        await limiter.check(RateLimiter.TURNS_BY_CONVERSATION, "turn", "a")
    assert 1 <= reached.value.retry_after <= 61
    await limiter.check(RateLimiter.TURNS_BY_CONVERSATION, "turn", "b")


async def test_limits_can_be_lifted() -> None:
    limiter = RateLimiter(on=False)
    for _ in range(RateLimiter.SIGN_INS_BY_ADDRESS.amount + 1):
        await limiter.check(RateLimiter.SIGN_INS_BY_ADDRESS, "sign-in", "a")


def test_one_conversation_may_not_flood(home: Path, encoder: Encoder) -> None:
    with running(settings_for(home, rate_limit="on"), encoder) as gateway, gateway.client() as client:
        conversation = gateway.say("你好")["conversation_id"]
        body = {"text": "你好", "conversation_id": conversation}
        statuses = [client.post("/api/v1/chat", json=body) for _ in range(RateLimiter.TURNS_BY_CONVERSATION.amount + 1)]
        refused = statuses[-1]
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["error"] == "too_many_requests"
