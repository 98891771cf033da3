"""The commands ``webhook``: who is told of events, and what could not be delivered."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import Any

from bot.clock import SystemClock
from bot.errors import Unavailable
from bot.outflow.model import STREAM, Event
from bot.outflow.service import Delivery, Ended, OutflowService
from bot.settings import Settings, load_settings
from bot.store.sealed import load_sealer
from channels.console import parts
from channels.console.output import OUT, print_json, table
from channels.outflow import WebhookPoster, outflow_of

ACTOR = "terminal"
TEST_TYPE = "wenban.test"


def add(name: str, url: str, topics: Sequence[str]) -> None:
    """Makes a subscription and shows its secret this once. Raises InvalidInput, Conflict."""
    secret, webhook = _service(load_settings()).add(name, url, topics, actor=ACTOR)
    OUT.print(f"推送 {webhook.name} 已建立：{'、'.join(webhook.topics)} → {webhook.url}")
    OUT.print("签名密钥只显示这一次，请交给接收方：")
    OUT.print(secret, markup=False)


def show(*, as_json: bool) -> None:
    """Every subscription with what waits and what was given up; Redis where it is set up."""
    settings = load_settings()
    service = _service(settings)
    counts = service.counts()
    rows = [(hook.name, hook.target, hook.url, hook.topics) for hook in service.webhooks()]
    if settings.redis_url is not None:
        rows.append((STREAM, STREAM, settings.redis_stream, ("*",)))
    found: list[dict[str, Any]] = [
        {
            "name": name,
            "url": url,
            "topics": list(topics),
            "waiting": counts.get((target, "waiting"), 0) + counts.get((target, "sending"), 0),
            "done": counts.get((target, "done"), 0),
            "dead": counts.get((target, "dead"), 0),
        }
        for name, target, url, topics in rows
    ]
    if as_json:
        print_json(found)
        return
    cells = [
        (row["name"], row["url"], "、".join(row["topics"]), row["waiting"], row["done"], row["dead"]) for row in found
    ]
    columns = ["名称", "地址", "主题", "等待", "近日送达", "放弃"]
    OUT.print(table(columns, cells) if cells else "还没有推送。")


def remove(name: str) -> None:
    """Ends a subscription. Raises NotFound."""
    _service(load_settings()).remove(name, actor=ACTOR)
    OUT.print(f"推送 {name} 已删除，没送出的一并丢弃。")


def test(name: str) -> None:
    """Sends one event of type wenban.test now. Raises NotFound, and Unavailable where it does not arrive."""
    settings = load_settings()
    webhook, secret = _service(settings).secret_of(name)
    ended = asyncio.run(_send(settings, webhook.url, secret))
    if ended.error is not None:
        raise Unavailable(
            f"没有送达：{ended.error}",
            code="webhook_not_delivered",
            remedy="请检查地址、接收方的日志和防火墙；接收方应在 10 秒内回 2xx。",
        )
    OUT.print(f"已送达，对方回 {ended.status}。")


async def _send(settings: Settings, url: str, secret: str) -> Ended:
    now = SystemClock().now()
    source = settings.public_url or f"urn:wenban:{settings.city_name}"
    event = Event(f"test-{uuid.uuid4().hex}", TEST_TYPE, source, "test", now, {"text": "这是一条测试消息。"})
    poster = WebhookPoster(SystemClock(), private=settings.webhook_private == "allow")
    try:
        return await poster.post(url, secret, Delivery(0, "", event.id, event.type, "test", event.body(), 1, now))
    finally:
        await poster.close()


def dead(name: str | None, *, as_json: bool) -> None:
    """What was given up, without its content. Raises NotFound."""
    service = _service(load_settings())
    names = {hook.target: hook.name for hook in service.webhooks()}
    found = service.dead(name)
    if as_json:
        print_json(
            [
                {
                    "id": each.id,
                    "webhook": names.get(each.target, each.target),
                    "event": each.event_id,
                    "type": each.type,
                    "subject": each.subject,
                    "attempts": each.attempts,
                    "made_at": each.made_at.isoformat(),
                    "status": each.last_status,
                    "error": each.last_error,
                }
                for each in found
            ]
        )
        return
    rows = [
        (
            each.id,
            names.get(each.target, each.target),
            each.type,
            each.subject,
            each.attempts,
            f"{each.made_at:%m-%d %H:%M}",
            each.last_error or "",
        )
        for each in found
    ]
    columns = ["编号", "推送", "主题", "关于", "次数", "发生", "上次的错误"]
    OUT.print(table(columns, rows) if rows else "没有放弃了的推送。")


def resend(numbers: Sequence[int], name: str | None) -> None:
    """Sends again what was given up. Raises NotFound."""
    count = _service(load_settings()).resend(numbers, name, actor=ACTOR)
    OUT.print(f"{count} 条将重新推送。")


def _service(settings: Settings) -> OutflowService:
    parts.upgrade(settings)
    return outflow_of(settings, parts.store(settings), SystemClock(), load_sealer(settings))
