"""The commands ``ask`` and ``chat``: find or start an assistant, then talk to it."""

from __future__ import annotations

import httpx

from bot.settings import load_settings
from channels.console.asking import chat, show_reply, take_turn
from channels.console.output import SAY, errors_as_json, print_json
from channels.console.service import running_or_temporary


async def ask(text: str, conversation: str | None, *, as_json: bool) -> None:
    """Puts one question and prints the reply."""
    with errors_as_json(as_json):
        async with (
            running_or_temporary(load_settings()) as url,
            httpx.AsyncClient(base_url=url, trust_env=False) as client,
        ):
            reply = await take_turn(client, text, conversation)
    if as_json:
        print_json(reply)
    else:
        show_reply(reply)
        SAY.print(f"[dim]接着问：wenban ask --conversation {reply['conversation_id']} …[/]")


async def talk() -> None:
    """A conversation at the terminal."""
    async with running_or_temporary(load_settings()) as url:
        await chat(url)
