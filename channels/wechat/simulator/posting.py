"""Posts as the platform posts: signed, encrypted, five seconds of patience, three times in all."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import xmltodict
from wechatpy.crypto import WeChatCrypto

from channels.wechat.account import Account
from channels.wechat.adapter import in_cdata, signed

PATIENCE = 5.0
"""Seconds the platform waits for an answer, as it does between two posts where there was no connection."""
POSTS = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the posts of one message ended. ``text``: the reply's; None where nothing was replied.

    ``waited``: seconds of the post that was answered; ``posts``: how many it took; ``fault``: what the citizen would be
    shown as an error, because no post was answered well.
    """

    text: str | None
    waited: float
    posts: int
    fault: str | None = None


class Poster:
    """Posts to one server URL in one of the modes ``plain``, ``compatible``, ``encrypted``."""

    def __init__(
        self, url: str, account: Account, *, mode: str = "encrypted", key: str | None = None, patience: float = PATIENCE
    ) -> None:
        """``key``: the EncodingAESKey to use; default: the account's present one."""
        self._url = url
        self._account = account
        self._mode = mode
        self._key = key or (account.aes_keys[0] if account.aes_keys else "")
        self._patience = patience
        self._http = httpx.AsyncClient(
            timeout=patience, trust_env=False, limits=httpx.Limits(max_connections=None, max_keepalive_connections=256)
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def deliver(self, xml: str) -> Outcome:
        """Posts ``xml`` until it is answered, at most three times."""
        fault = ""
        waited = 0.0
        for number in range(1, POSTS + 1):
            begun = time.perf_counter()
            try:
                async with asyncio.timeout(self._patience):
                    response = await self.post(xml)
            except (httpx.HTTPError, TimeoutError) as error:
                waited, fault = time.perf_counter() - begun, type(error).__name__
                await asyncio.sleep(max(0.0, self._patience - waited))
                continue
            waited = time.perf_counter() - begun
            if response.status_code != httpx.codes.OK:
                return Outcome(None, waited, number, f"HTTP {response.status_code}: {response.text[:300]}")
            try:
                return Outcome(self.read(response.content), waited, number)
            except (ValueError, KeyError) as error:
                return Outcome(None, waited, number, f"{type(error).__name__}: {error}")
        return Outcome(None, waited, POSTS, fault)

    async def post(self, xml: str) -> httpx.Response:
        """One post."""
        query, body = self.wrapped(xml)
        return await self._http.post(self._url, params=query, content=body, headers={"Content-Type": "text/xml"})

    async def verified(self) -> bool:
        """Whether the server URL answers the platform's check."""
        echo = secrets.token_hex(8)
        try:
            response = await self._http.get(self._url, params={**self._query(), "echostr": echo})
        except httpx.HTTPError:
            return False
        return response.status_code == httpx.codes.OK and response.text == echo

    def wrapped(self, xml: str) -> tuple[dict[str, str], bytes]:
        """The query and the body of a post of ``xml``."""
        query = self._query()
        if self._mode == "plain":
            return query, xml.encode()
        crypto = WeChatCrypto(self._account.token, self._key, self._account.app_id)
        outer = xmltodict.parse(crypto.encrypt_message(xml, query["nonce"], query["timestamp"]))["xml"]
        query |= {"encrypt_type": "aes", "msg_signature": outer["MsgSignature"]}
        encrypted = f"<Encrypt><![CDATA[{outer['Encrypt']}]]></Encrypt>"
        if self._mode == "compatible":
            return query, xml.replace("</xml>", f"{encrypted}</xml>").encode()
        return query, f"<xml><ToUserName><![CDATA[gh]]></ToUserName>{encrypted}</xml>".encode()

    def read(self, body: bytes) -> str | None:
        """The text of a reply, checked as the platform checks it. Raises ValueError."""
        if body in {b"", b"success"}:
            return None
        text = body.decode()
        if self._mode != "plain":
            outer = xmltodict.parse(text)["xml"]
            crypto = WeChatCrypto(self._account.token, self._key, self._account.app_id)
            text = crypto.decrypt_message(text, outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"])
        reply = xmltodict.parse(text)["xml"]
        if reply["MsgType"] != "text" or len(reply["Content"].encode()) > 2048:
            raise ValueError("the reply is no text of at most 2048 bytes")
        return str(reply["Content"])

    def _query(self) -> dict[str, str]:
        timestamp, nonce = str(int(time.time())), secrets.token_hex(5)
        signature = signed(self._account.token, timestamp, nonce)
        return {"signature": signature, "timestamp": timestamp, "nonce": nonce}


def message_xml(kind: str, openid: str, account: str, fields: Mapping[str, str], *, message_id: int | None) -> str:
    """A message as the platform writes it; events have no ``message_id``."""
    head = {"ToUserName": account, "FromUserName": openid, "CreateTime": str(int(time.time())), "MsgType": kind}
    every = {**head, **fields, **({"MsgId": str(message_id)} if message_id is not None else {})}
    inner = "".join(
        f"<{name}>{value}</{name}>" if value.isdigit() else f"<{name}><![CDATA[{in_cdata(value)}]]></{name}>"
        for name, value in every.items()
    )
    return f"<xml>{inner}</xml>"
