"""Calls to the platform's API: bounded in time and tries, never repeated once an answer may have got lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import structlog

from bot.clock import Clock
from bot.errors import TooLarge
from bot.store import Store
from bot.store.sealed import Sealer
from channels.wechat.account import Account
from channels.wechat.faults import BUSY, STALE_TOKEN, InDoubt, NotDone, PlatformFault, Rejected
from channels.wechat.tokens import Tokens

log = structlog.get_logger("wenban.wechat")

SECONDS = 10.0
"""For one call; connecting takes at most half of it."""
TRIES = 3
FIRST_PAUSE = 0.3
LARGEST_MEDIA = 10 * 2**20
"""Bytes of a picture: the platform's own limit."""

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Failures before anything reached the platform."""


class WeChatClient:
    """The API of one account. Belongs to one event loop; call :meth:`close`."""

    def __init__(self, account: Account, store: Store, sealer: Sealer, clock: Clock) -> None:
        """``account`` must have an app_id and a secret."""
        self._account = account
        self._http = httpx.AsyncClient(
            base_url=account.api_base,
            timeout=httpx.Timeout(SECONDS, connect=SECONDS / 2),
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=16),
            trust_env=account.through_proxy,
        )
        self.tokens = Tokens(store, sealer, clock, account.app_id, self._fetch_token)

    async def close(self) -> None:
        await self._http.aclose()

    async def send_custom(self, openid: str, body: Mapping[str, Any]) -> None:
        """Sends a customer-service message; ``body`` holds ``msgtype`` and what belongs to it. Raises PlatformFault."""
        await self._call("/cgi-bin/message/custom/send", {"touser": openid, **body})

    async def send_text(self, openid: str, text: str) -> None:
        """Sends a text, at most 2048 bytes. Raises PlatformFault."""
        await self.send_custom(openid, {"msgtype": "text", "text": {"content": text}})

    async def send_menu(self, openid: str, menu: Mapping[str, Any]) -> None:
        """Sends a menu whose items can be pressed. Raises PlatformFault."""
        await self.send_custom(openid, {"msgtype": "msgmenu", "msgmenu": dict(menu)})

    async def send_notice(self, openid: str, template: str, data: Mapping[str, str], page: str | None) -> None:
        """Sends a subscription notice. Raises PlatformFault."""
        body: dict[str, Any] = {"touser": openid, "template_id": template}
        body["data"] = {name: {"value": value} for name, value in data.items()}
        await self._call("/cgi-bin/message/subscribe/bizsend", {**body, **({"page": page} if page else {})})

    async def publish_menu(self, menu: Mapping[str, Any]) -> None:
        """Replaces the account's menu. Raises PlatformFault."""
        await self._call("/cgi-bin/menu/create", menu)

    async def media(self, media_id: str) -> bytes:
        """The content of a picture that a citizen sent. Raises PlatformFault, and TooLarge."""
        refused: str | None = None
        for _ in range(2):
            refused = token = await self.tokens.get(refused)
            content, kind = await self._download(media_id, token)
            if "json" not in kind and "text/plain" not in kind:
                return content
            fault = _fault(content)
            if fault is None or fault.errcode not in STALE_TOKEN:
                raise fault or NotDone("微信平台没有给出图片。")
        raise NotDone("微信平台不认新取的凭证。")

    async def _download(self, media_id: str, token: str) -> tuple[bytes, str]:
        query = {"access_token": token, "media_id": media_id}
        for attempt in range(TRIES):
            try:
                async with self._http.stream("GET", "/cgi-bin/media/get", params=query) as response:
                    response.raise_for_status()
                    content = bytearray()
                    async for piece in response.aiter_bytes():
                        content += piece
                        if len(content) > LARGEST_MEDIA:
                            raise TooLarge("图片太大。", code="media_too_large")
                    return bytes(content), response.headers.get("content-type", "")
            except httpx.HTTPError as error:
                if attempt == TRIES - 1:
                    raise NotDone(f"取不到图片：{_told(error)}") from None
                await asyncio.sleep(FIRST_PAUSE * 2**attempt)
        raise AssertionError("unreachable")

    async def _call(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """One act at the platform; a stale token is renewed once."""
        token = await self.tokens.get()
        try:
            return await self._post(path, body, {"access_token": token})
        except Rejected as error:
            if error.errcode not in STALE_TOKEN:
                raise
            log.info("wechat_token_refused", errcode=error.errcode)
        return await self._post(path, body, {"access_token": await self.tokens.get(token)})

    async def _fetch_token(self, force: bool) -> tuple[str, int]:
        body = {
            "grant_type": "client_credential",
            "appid": self._account.app_id,
            "secret": self._account.secret,
            "force_refresh": force,
        }
        given = await self._post("/cgi-bin/stable_token", body, {}, repeatable=True)
        try:
            return str(given["access_token"]), int(given["expires_in"])
        except (KeyError, TypeError, ValueError):
            raise NotDone("微信平台没有给出凭证。") from None

    async def _post(
        self, path: str, body: Mapping[str, Any], query: Mapping[str, str], *, repeatable: bool = False
    ) -> Mapping[str, Any]:
        """Posts, again only while nothing can have been done (or doing it twice does no harm: ``repeatable``)."""
        for attempt in range(TRIES):
            try:
                return await self._post_once(path, body, query)
            except NotDone:
                if attempt == TRIES - 1:
                    raise
            except InDoubt as error:
                if not repeatable:
                    raise
                if attempt == TRIES - 1:
                    raise NotDone(error.message) from error
            await asyncio.sleep(FIRST_PAUSE * 2**attempt)
        raise AssertionError("unreachable")

    async def _post_once(self, path: str, body: Mapping[str, Any], query: Mapping[str, str]) -> Mapping[str, Any]:
        try:
            response = await self._http.post(path, json=body, params=query)
        except _NOT_SENT as error:
            raise NotDone(f"连不上微信平台：{_told(error)}", remedy="请检查服务器能否访问外网和平台地址。") from None
        except httpx.HTTPError as error:
            raise InDoubt(f"微信平台没有回应：{_told(error)}") from None
        if response.status_code != httpx.codes.OK:
            kind: type[PlatformFault] = NotDone if response.status_code in {429, 503} else InDoubt
            raise kind(f"微信平台返回 HTTP {response.status_code}")
        fault = _fault(response.content)
        if fault is not None and fault.errcode in BUSY:
            raise NotDone(fault.message)
        if fault is not None:
            raise fault
        given: Mapping[str, Any] = response.json()
        return given


def _fault(content: bytes) -> Rejected | None:
    """The platform's refusal in ``content``; raises InDoubt where it is not the platform's JSON at all."""
    try:
        given = httpx.Response(200, content=content).json()
        errcode = int(given.get("errcode", 0))
    except (ValueError, TypeError, AttributeError):
        raise InDoubt("微信平台的回应看不懂") from None
    return Rejected(errcode, str(given.get("errmsg", ""))) if errcode else None


def _told(error: httpx.HTTPError) -> str:
    # Never the URL: it holds the token.
    return type(error).__name__
