"""``wenban wechat …``: the stand-in of the platform, the account's menu, what the channel is doing."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import uvicorn

from bot.clock import SystemClock
from bot.errors import ConfigurationError, Unavailable
from bot.settings import Settings
from bot.store.sealed import load_sealer
from bot.wechat import inbox, repository
from channels.console import parts, ports
from channels.console.dialogue import runs_own_rasa, trained_model
from channels.console.output import OUT, SAY, print_json, table
from channels.console.service import alive, private, started
from channels.server import GRACE_SECONDS
from channels.wechat.account import Account, account_of
from channels.wechat.client import WeChatClient
from channels.wechat.menus import menu_body
from channels.wechat.simulator.app import create_standin
from channels.wechat.simulator.platform import Platform
from channels.wechat.simulator.posting import Poster

SHOWN_CITIZENS = 10


def simulate(settings: Settings) -> None:
    """The stand-in in the foreground until Ctrl-C, with a gateway of its own where none runs."""
    account = _required(settings)
    host, port = _local(account)
    ports.require_free(host, port, "WENBAN_WECHAT_API_BASE")
    parts.upgrade(settings)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_simulate(settings, account, host, port))


async def _simulate(settings: Settings, account: Account, host: str, port: int) -> None:
    async with _gateway(settings, account) as url:
        poster = Poster(f"{url}/wechat", account, mode="encrypted" if account.aes_keys else "plain")
        if not await poster.verified():
            await poster.close()
            raise Unavailable(
                f"{url}/wechat 没有认出模拟平台的签名。",
                code="wechat_not_verified",
                remedy="请让两边用同样的 WENBAN_HOME 与 WENBAN_WECHAT_* 设置；改过设置要重启网关。",
            )
        platform = Platform(account, poster)
        platform.publish_menu(menu_body(settings.public_url or url))
        OUT.print(f"\n  [bold green]微信平台（本机模拟）已就绪[/]　手机　[bold]http://{host}:{port}/[/]")
        OUT.print(f"  推送到 {url}/wechat（{'安全模式' if account.aes_keys else '明文模式'}）；Ctrl-C 停止。\n")
        config = uvicorn.Config(
            create_standin(platform, city=settings.city_name),
            host=host,
            port=port,
            log_level="warning",
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        await uvicorn.Server(config).serve()


@contextlib.asynccontextmanager
async def _gateway(settings: Settings, account: Account) -> AsyncIterator[str]:
    """The gateway that runs on the configured port, or one for the occasion."""
    if await alive(settings.address):
        SAY.print(f"[dim]使用正在运行的服务 {settings.address}[/]")
        yield settings.address
        return
    SAY.print("[dim]没有正在运行的服务：临时启动网关（用完即停）…[/]")
    model = trained_model(settings) if runs_own_rasa(settings) else None
    told = private(settings).model_copy(update={"wechat_api_base": account.api_base})
    async with started(told, model) as running:
        yield running.url


def publish_menu(settings: Settings) -> None:
    """Publishes the menu of ``words.toml``. Raises PlatformFault, ConfigurationError."""
    account = _sending(settings)
    body = menu_body(settings.public_url)
    asyncio.run(_publish(settings, account, body))
    if settings.public_url is None:
        SAY.print("[yellow]![/] 没有设置 WENBAN_PUBLIC_URL，打开网页的菜单项没有发布。")
    names = "、".join(button["name"] for button in body["button"])
    OUT.print(f"✓ 公众号菜单已发布：{names}。手机上取消关注再关注，或等最多五分钟，就能看到。")


async def _publish(settings: Settings, account: Account, body: dict[str, object]) -> None:
    parts.upgrade(settings)
    client = WeChatClient(account, parts.store(settings), load_sealer(settings), SystemClock())
    try:
        await client.publish_menu(body)
    finally:
        await client.close()


def status(settings: Settings, *, as_json: bool) -> None:
    """What came in, what was sent, who may still be sent to."""
    account = _required(settings)
    parts.upgrade(settings)
    store, now = parts.store(settings), SystemClock().now()
    with store.read() as session:
        counts = repository.inbox_counts(session)
        known, followers = repository.counts(session)
        token = repository.token(session, account.app_id)
        rows = repository.citizens(session, SHOWN_CITIZENS)
        shown = [
            {
                "citizen": f"{row.openid[:4]}…{row.openid[-3:]}",
                "seen_at": row.seen_at.isoformat(timespec="seconds"),
                "may_send": inbox.windows_of(row).left(now),
                "sent": row.sent,
                "refused": row.refused,
                "last_refusal": row.last_refusal or "",
            }
            for row in rows
        ]
    expires = token.expires_at.isoformat(timespec="seconds") if token and token.expires_at else None
    found = {
        "app_id": account.app_id,
        "demo": account.demo,
        "can_send": account.can_send,
        "encrypted": bool(account.aes_keys),
        "token_expires_at": expires,
        "citizens": known,
        "followers": followers,
        "messages": [
            {"state": state, "delivery": delivery, "fault": fault, "count": count}
            for state, delivery, fault, count in counts
        ],
        "latest": shown,
    }
    if as_json:
        print_json(found)
        return
    OUT.print(f"公众号 {account.app_id or '（未设 AppID）'}{'（本机试用）' if account.demo else ''}")
    OUT.print(
        f"凭证 {'到 ' + expires + ' 有效' if expires else '还没有取过'}；市民 {known} 人，其中关注 {followers} 人"
    )
    OUT.print(
        table(["状态", "送达方式", "原因", "条数"], [[s, d or "", f or "", n] for s, d, f, n in counts], title="消息")
    )
    columns = ["市民", "最近", "还可发（条）", "已发（条）", "被拒（条）", "最近被拒"]
    OUT.print(table(columns, [list(row.values()) for row in shown], title="客服消息台账（最近的市民）"))


def _required(settings: Settings) -> Account:
    account = account_of(settings)
    if account is None:
        raise ConfigurationError(
            "没有设置公众号。", code="wechat_off", remedy="请设置 WENBAN_WECHAT_TOKEN 等，见 docs/wechat.md。"
        )
    return account


def _sending(settings: Settings) -> Account:
    account = _required(settings)
    if not account.can_send:
        raise ConfigurationError(
            "没有设置公众号的 AppID 与 AppSecret，不能调用微信接口。",
            code="wechat_no_secret",
            remedy="请设置 WENBAN_WECHAT_APP_ID 与 WENBAN_WECHAT_SECRET。",
        )
    return account


def _local(account: Account) -> tuple[str, int]:
    """Where the stand-in listens: the account's API base, which must be on this machine."""
    parsed = urlsplit(account.api_base)
    try:
        local = ipaddress.ip_address(parsed.hostname or "").is_loopback
    except ValueError:
        local = False
    if not local or parsed.port is None:
        raise ConfigurationError(
            f"模拟平台只在本机上，而公众号的接口地址是 {account.api_base}。",
            code="wechat_not_local",
            remedy="试用时请去掉 WENBAN_WECHAT_*，或把 WENBAN_WECHAT_API_BASE 设为 http://127.0.0.1:8100 这样的地址。",
        )
    return str(parsed.hostname), parsed.port
