"""``wenban ask`` and ``wenban chat``: the citizen's conversation in a terminal, over the same API as the web page."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
from rich.markup import escape
from rich.panel import Panel

from bot.errors import Unavailable, WenbanError
from channels.console.output import OUT, SAY

TIMEOUT = 30.0
ENDINGS = {"", "退出", "再见", "q", "quit", "exit"}


class ApiError(WenbanError):
    """The server's own explanation of why it did not answer, passed on."""


async def take_turn(client: httpx.AsyncClient, text: str, conversation: str | None = None) -> dict[str, Any]:
    """Sends one turn; the reply as the API gives it. Raises ApiError or Unavailable."""
    body = {"text": text, "client_message_id": uuid.uuid4().hex}
    if conversation:
        body["conversation_id"] = conversation
    try:
        response = await client.post("/api/v1/chat", json=body, timeout=TIMEOUT)
    except httpx.HTTPError as error:
        raise Unavailable(
            f"服务没有回应（{type(error).__name__}）。",
            remedy="请确认 wenban serve 正在运行；wenban check 可逐项检查。",
        ) from error
    if response.is_success:
        reply: dict[str, Any] = response.json()
        return reply
    raise _explained(response)


def _explained(response: httpx.Response) -> ApiError:
    try:
        body = response.json()
        return ApiError(
            body["message"], code=body["error"], remedy=body.get("remedy", ""), details=body.get("details", ())
        )
    except (ValueError, KeyError, TypeError):
        return ApiError(
            f"服务返回了状态 {response.status_code}。", code="http_error", remedy="请查看 wenban serve 的日志。"
        )


def show_reply(reply: dict[str, Any]) -> list[dict[str, str]]:
    """Prints the messages of ``reply`` and its source; the choices it offers, in the order they are numbered."""
    choices: list[dict[str, str]] = []
    for message in reply.get("messages", ()):
        if text := message.get("text"):
            OUT.print(text, markup=False)
        for choice in message.get("choices", ()):
            choices.append(choice)
            OUT.print(f"  [bold]{len(choices)}[/] {escape(choice['title'])}")
    for line in source_lines(reply):
        OUT.print(f"[dim]{escape(line)}[/]")
    return choices


def source_lines(reply: dict[str, Any]) -> list[str]:
    """One line a source, each fact's matter named once."""
    lines = []
    for source in reply.get("sources", ()):
        parts = [source["name"], source["code"], f"版本 {source['version']}", source.get("department")]
        lines.append("依据：" + "　".join(part for part in parts if part))
    return list(dict.fromkeys(lines))


async def chat(url: str) -> None:
    """Talks until an empty line, 退出 or the end of input; a number takes a choice."""
    OUT.print(Panel.fit("有什么要办的事，直接说。选项可以回复数字；空行或“退出”结束。", title="问办"))
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        conversation: str | None = None
        choices: list[dict[str, str]] = []
        while (text := _typed()) not in ENDINGS:
            if text.isascii() and text.isdigit() and 1 <= int(text) <= len(choices):
                text = choices[int(text) - 1]["payload"]
            try:
                reply = await take_turn(client, text, conversation)
            except ApiError as error:
                SAY.print(f"[red]{escape(error.message)}[/] {escape(error.remedy)}")
                continue
            conversation = reply["conversation_id"]
            choices = show_reply(reply)


def _typed() -> str:
    try:
        return input("\n您：").strip()
    except EOFError:
        return ""
