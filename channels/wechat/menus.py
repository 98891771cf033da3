"""The account's menu, from ``words.toml``: what a press says to the assistant, or which page it opens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.wechat.answering import SAY
from channels.wechat.words import table


def menu_body(public_url: str | None) -> dict[str, Any]:
    """The menu as the platform takes it; without a public address buttons that open pages are left out."""
    return {"button": [made for entry in table("menu")["buttons"] if (made := _button(entry, public_url))]}


def _button(entry: Mapping[str, Any], public_url: str | None) -> dict[str, Any] | None:
    if "below" in entry:
        below = [made for each in entry["below"] if (made := _button(each, public_url))]
        return {"name": entry["title"], "sub_button": below} if below else None
    if "say" in entry:
        return {"type": "click", "name": entry["title"], "key": f"{SAY}{entry['say']}"}
    if public_url is None:
        return None
    return {"type": "view", "name": entry["title"], "url": f"{public_url.rstrip('/')}{entry['path']}"}
