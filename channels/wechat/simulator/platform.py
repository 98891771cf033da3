"""The platform's side of one Official Account: citizens with their screens, windows, tokens, menu, media, consents.

Rules are the platform's own (see docs/wechat.md); refusals carry its numbers.
"""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from bot.wechat.model import Message, Windows, opened
from channels.wechat.account import Account
from channels.wechat.adapter import in_cdata
from channels.wechat.simulator.posting import Outcome, Poster, message_xml

ACCOUNT_NAME = "gh_wenbandemo"
LONGEST_TEXT = 2048
LONGEST_NOTICE_VALUE = 20
TOKEN_SECONDS = 7200
MOST_LINES = 200
MENU_LIMITS = (3, 5)
"""Buttons of the menu, and of one sub-menu."""


class Refusal(Exception):
    """What the API answers with ``errcode``."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(errmsg)
        self.errcode = errcode
        self.errmsg = errmsg


@dataclass(slots=True)
class Line:
    """One line of a citizen's screen. ``how``: by which way it came, for those who look on."""

    side: Literal["citizen", "account", "system"]
    text: str
    how: str = ""
    items: tuple[str, ...] = ()
    picture: str | None = None
    at: float = field(default_factory=time.time)


@dataclass(slots=True)
class Citizen:
    """One citizen at the platform."""

    openid: str
    followed: bool = False
    windows: Windows = field(default_factory=Windows)
    consents: set[str] = field(default_factory=set)
    lines: list[Line] = field(default_factory=list)
    version: int = 0

    def show(self, line: Line) -> None:
        self.lines = [*self.lines, line][-MOST_LINES:]
        self.version += 1


class Platform:
    """The stand-in. ``received`` is called with every message that the account sends (for drivers)."""

    def __init__(
        self, account: Account, poster: Poster, received: Callable[[str, str, str], None] = lambda *_: None
    ) -> None:
        self.account = account
        self.poster = poster
        self.citizens: dict[str, Citizen] = {}
        self.menu: Mapping[str, Any] = {}
        self.media: dict[str, tuple[str, bytes]] = {}
        self.tokens: dict[str, float] = {}
        self.token_fetches = 0
        self._received = received
        self._ids = itertools.count(time.time_ns())

    # -- what a citizen does ------------------------------------------------------------------------------------------

    def citizen(self, openid: str) -> Citizen:
        return self.citizens.setdefault(openid, Citizen(openid))

    async def say(self, openid: str, kind: str, fields: Mapping[str, str], shown: str, picture: str = "") -> Outcome:
        """A message of the citizen: on his screen, to the account, and the reply on his screen."""
        citizen = self.citizen(openid)
        citizen.show(Line("citizen", shown, picture=picture or None))
        return await self._deliver(citizen, kind, fields)

    async def event(self, openid: str, event: str, fields: Mapping[str, str], shown: str) -> Outcome:
        """An event that the citizen causes."""
        citizen = self.citizen(openid)
        citizen.show(Line("system", shown))
        if event in {"subscribe", "unsubscribe"}:
            citizen.followed = event == "subscribe"
        return await self._deliver(citizen, "event", {"Event": event, **fields})

    async def nested_event(self, openid: str, event: str, inner: str, fields: Mapping[str, str], shown: str) -> Outcome:
        """An event that carries a list of one entry, as those about notices do."""
        citizen = self.citizen(openid)
        citizen.show(Line("system", shown))
        listed = "".join(f"<{name}><![CDATA[{in_cdata(value)}]]></{name}>" for name, value in fields.items())
        xml = message_xml("event", openid, ACCOUNT_NAME, {"Event": event}, message_id=None)
        return await self._posted(citizen, xml.replace("</xml>", f"<{inner}><List>{listed}</List></{inner}></xml>"))

    async def _deliver(self, citizen: Citizen, kind: str, fields: Mapping[str, str]) -> Outcome:
        message_id = None if kind == "event" else next(self._ids)
        xml = message_xml(kind, citizen.openid, ACCOUNT_NAME, fields, message_id=message_id)
        told = Message(kind, citizen.openid, ACCOUNT_NAME, int(time.time()), event=fields.get("Event", "").lower())
        citizen.windows = opened(citizen.windows, told, _now())
        if fields.get("Event") == "unsubscribe":
            citizen.windows = Windows()
        return await self._posted(citizen, xml)

    async def _posted(self, citizen: Citizen, xml: str) -> Outcome:
        outcome = await self.poster.deliver(xml)
        if outcome.fault is not None:
            citizen.show(Line("system", "该公众号提供的服务出现故障，请稍后再试", outcome.fault))
        elif outcome.text is not None:
            citizen.show(Line("account", outcome.text, f"被动回复 {outcome.waited:.1f} 秒，第 {outcome.posts} 次推送"))
        return outcome

    # -- the API ------------------------------------------------------------------------------------------------------

    def token(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """``stable_token``. Raises Refusal."""
        if body.get("appid") != self.account.app_id:
            raise Refusal(40013, "invalid appid")
        if body.get("secret") != self.account.secret:
            raise Refusal(40125, "invalid appsecret")
        self.token_fetches += 1
        now = time.time()
        valid = [token for token, until in self.tokens.items() if until > now]
        if not valid or body.get("force_refresh"):
            self.tokens = {secrets.token_urlsafe(48): now + TOKEN_SECONDS}
            valid = list(self.tokens)
        return {"access_token": valid[-1], "expires_in": int(self.tokens[valid[-1]] - now)}

    def check_token(self, token: str) -> None:
        """Raises Refusal."""
        until = self.tokens.get(token)
        if until is None:
            raise Refusal(40001, "invalid credential, access_token is invalid or not latest")
        if until < time.time():
            raise Refusal(42001, "access_token expired")

    def custom(self, body: Mapping[str, Any]) -> None:
        """A customer-service message. Raises Refusal."""
        citizen = self._follower(body)
        text, items = _content(body)
        if len(text.encode()) > LONGEST_TEXT:
            raise Refusal(45002, "content size out of limit")
        windows, now = citizen.windows, _now()
        if not _is_open(windows, now):
            raise Refusal(45015, "response out of time limit or subscription is canceled")
        if not windows.left(now):
            raise Refusal(45047, "out of response count limit")
        citizen.windows = windows.spent(now)
        citizen.show(Line("account", text, "客服消息", items))
        self._received(citizen.openid, text, "service")

    def notice(self, body: Mapping[str, Any]) -> None:
        """A subscription notice. Raises Refusal."""
        citizen = self._follower(body)
        template = str(body.get("template_id", ""))
        if not template:
            raise Refusal(40037, "invalid template_id")
        if template not in citizen.consents:
            raise Refusal(43101, "user refuse to accept the msg")
        values = {name: str(entry.get("value", "")) for name, entry in dict(body.get("data", {})).items()}
        if not values or any(not value or len(value) > LONGEST_NOTICE_VALUE for value in values.values()):
            raise Refusal(47003, "argument invalid! data value is too long or empty")
        text = "\n".join(f"{name}：{value}" for name, value in values.items())
        citizen.show(Line("account", text, f"订阅通知 {template}"))
        self._received(citizen.openid, text, "notice")

    def publish_menu(self, body: Mapping[str, Any]) -> None:
        """Raises Refusal."""
        buttons = body.get("button")
        if not isinstance(buttons, list) or not 1 <= len(buttons) <= MENU_LIMITS[0]:
            raise Refusal(40016, "invalid button size")
        for button in buttons:
            below = button.get("sub_button", [])
            if len(below) > MENU_LIMITS[1]:
                raise Refusal(40023, "invalid sub button size")
            for each in below or [button]:
                if each.get("type") == "click" and not 0 < len(str(each.get("key", "")).encode()) <= 128:
                    raise Refusal(40019, "invalid button key size")
                if each.get("type") not in {"click", "view"}:
                    raise Refusal(40017, "invalid button type")
        self.menu = body

    def keep_media(self, content: bytes, media_type: str) -> str:
        """Keeps what a citizen sends; its media_id."""
        media_id = secrets.token_urlsafe(24)
        self.media[media_id] = (media_type, content)
        return media_id

    def _follower(self, body: Mapping[str, Any]) -> Citizen:
        citizen = self.citizens.get(str(body.get("touser", "")))
        if citizen is None:
            raise Refusal(40003, "invalid openid")
        if not citizen.followed and not _is_open(citizen.windows, _now()):
            raise Refusal(43004, "require subscribe")
        return citizen


def _content(body: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The text of a customer-service message and the items of its menu. Raises Refusal."""
    try:
        if body["msgtype"] == "text":
            return str(body["text"]["content"]), ()
        if body["msgtype"] == "msgmenu":
            menu = body["msgmenu"]
            items = tuple(str(item["content"]) for item in menu["list"])
            return f"{menu['head_content']}\n{menu.get('tail_content', '')}".strip(), items
    except (KeyError, TypeError):
        raise Refusal(47001, "data format error") from None
    raise Refusal(40008, "invalid message type")


def _is_open(windows: Windows, now: datetime) -> bool:
    return any(until is not None and now < until for until in (windows.message_until, windows.action_until))


def _now() -> datetime:
    return datetime.now(UTC)
