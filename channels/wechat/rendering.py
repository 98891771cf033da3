"""A reply of the assistant as WeChat messages: plain text of at most 2048 bytes, numbered choices, menus. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bot.conversations.model import Reply
from bot.wechat.inbox import LONGEST_PART
from bot.wechat.model import Answer
from channels.wechat.words import say

MOST_PARTS = 4
"""Messages one answer may take; the platform allows five after each message of a citizen."""
LONGEST_ITEM = 20
"""Characters of a menu's item that WeChat shows without cutting."""

_TAG = re.compile(r"<(?=[A-Za-z/!])")
_UNBROKEN = re.compile(r"[0-9A-Za-z:/?#\[\]@!$&'()*+,;=%._~-]+")
"""What is never cut: addresses, numbers, codes, Latin words."""
_BORDERS = (
    re.compile(r"\n\n"),
    re.compile(r"\n"),
    re.compile(r"[。！？!?；;](?=[^\n”」』）)])"),
    re.compile(r"[，、, ]"),
)
"""Where a text may be cut, the best place first."""


def rendered(reply: Reply, public_url: str | None, *, before: str = "") -> Answer:
    """The answer that says ``reply``; long ones are linked to the matter's page where there is one to link to."""
    said = [plain(str(m.get("text", ""))) for m in reply.messages if m.get("kind") != "choices"]
    text = "\n\n".join(part for part in [before, *said] if part.strip())
    offered = [m for m in reply.messages if m.get("kind") == "choices" and m.get("choices")]
    prompt = plain(str(offered[-1].get("text") or say("citizen.choose"))) if offered else ""
    titles = tuple(plain(str(choice["title"])) for choice in offered[-1]["choices"]) if offered else ()
    url = f"{public_url.rstrip('/')}/matters/{quote(reply.matter, safe='')}" if public_url and reply.matter else None
    return composed(text, prompt, titles, url)


def composed(text: str, prompt: str = "", titles: Sequence[str] = (), url: str | None = None) -> Answer:
    """``text`` with its numbered choices at the end, in as many parts as it takes."""
    tail = numbered(prompt, titles)
    whole = "\n\n".join(part for part in (text, tail) if part)
    if size(whole) <= LONGEST_PART:
        return Answer((whole,) if whole else (), prompt, tuple(titles))
    if url is not None:
        end = "\n".join(part for part in (say("citizen.more", url=url), tail) if part)
        if size(end) < LONGEST_PART // 2:
            first = next(split(text, LONGEST_PART - size(end) - 2), "")
            return Answer((f"{first}\n\n{end}",), prompt, tuple(titles))
    parts = list(split(whole, LONGEST_PART))
    if len(parts) > MOST_PARTS:
        cut = say("citizen.cut")
        last = next(split(parts[MOST_PARTS - 1], LONGEST_PART - size(cut) - 1))
        parts = [*parts[: MOST_PARTS - 1], f"{last}\n{cut}"]
    return Answer(tuple(parts), prompt, tuple(titles))


def numbered(prompt: str, titles: Sequence[str]) -> str:
    """The choices as text: a digit, a name or a description picks one."""
    return "\n".join([prompt, *(f"{number}. {title}" for number, title in enumerate(titles, 1))]) if titles else ""


def menu(answer: Answer) -> Mapping[str, Any] | None:
    """A single part as a menu that can be pressed, where all of its choices fit one."""
    tail = numbered(answer.prompt, answer.choices)
    if len(answer.parts) != 1 or not answer.choices or not answer.parts[0].endswith(tail):
        return None
    if any(len(title) > LONGEST_ITEM for title in answer.choices):
        return None
    head = f"{answer.parts[0][: -len(tail)]}{answer.prompt}".strip()
    items = [{"id": str(number), "content": title} for number, title in enumerate(answer.choices, 1)]
    return {"head_content": head, "list": items, "tail_content": say("citizen.choices_tail")}


def plain(text: str) -> str:
    """``text`` with nothing that WeChat would take for a link's mark-up."""
    return _TAG.sub("＜", text).strip()


def size(text: str) -> int:
    return len(text.encode())


def split(text: str, longest: int) -> Iterator[str]:
    """``text`` in pieces of at most ``longest`` bytes, cut at borders, never within a character or an address."""
    rest = text.strip()
    while size(rest) > longest:
        room = rest.encode()[:longest].decode(errors="ignore")
        at = _cut(rest, len(room))
        yield rest[:at].rstrip()
        rest = rest[at:].lstrip()
    if rest:
        yield rest


def _cut(text: str, most: int) -> int:
    """Where to cut ``text``: after the last good border among its first ``most`` characters, in their second half."""
    for border in _BORDERS:
        ends = [match.end() for match in border.finditer(text, 0, most) if not _within_unbroken(text, match.end())]
        if ends and ends[-1] > most // 2:
            return ends[-1]
    at = most
    for match in _UNBROKEN.finditer(text):
        if match.start() >= most:
            break
        if match.end() > most and match.start() > 0:
            at = match.start()
    return at


def _within_unbroken(text: str, at: int) -> bool:
    """Whether ``text`` has an address or a number running over ``at``."""
    return 0 < at < len(text) and bool(_UNBROKEN.fullmatch(text[at - 1 : at + 1]))
