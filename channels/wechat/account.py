"""Which Official Account is served: from the settings, or, for trying in development, one made up for this home."""

from __future__ import annotations

import json
import os
import secrets
import string
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import SecretStr

from bot.errors import ConfigurationError
from bot.settings import Settings
from bot.store.faults import explaining
from channels.wechat.adapter import Adapter, decoded_key

PLATFORM = "https://api.weixin.qq.com"
DEMO_FILE = "wechat-demo.json"
DEMO_PORT_OFFSET = 100
"""The stand-in of the platform listens so far above the gateway's port."""


@dataclass(frozen=True, slots=True)
class Account:
    """One Official Account. Without ``secret`` only replies can be given; ``demo``: the platform is a stand-in."""

    token: str
    app_id: str = ""
    aes_keys: tuple[str, ...] = ()
    secret: str = ""
    api_base: str = PLATFORM
    demo: bool = False

    @property
    def can_send(self) -> bool:
        """Whether customer-service messages and notices can be tried at all."""
        return bool(self.app_id and self.secret)

    @property
    def through_proxy(self) -> bool:
        """The platform may be reached through a proxy of the environment, a stand-in on this machine never."""
        return self.api_base == PLATFORM

    def adapter(self, *, encrypted_only: bool) -> Adapter:
        return Adapter(self.token, self.app_id, self.aes_keys, encrypted_only=encrypted_only)


def account_of(settings: Settings) -> Account | None:
    """The account to serve; None where there is none. Raises ConfigurationError, StorageFull."""
    if settings.wechat_token is None:
        return demo_account(settings) if settings.environment == "development" else None
    keys = [_secret(settings.wechat_aes_key), _secret(settings.wechat_aes_key_previous)]
    for name, key in zip(("AES_KEY", "AES_KEY_PREVIOUS"), keys, strict=True):
        _checked(name, key)
    return Account(
        token=_secret(settings.wechat_token),
        app_id=settings.wechat_app_id or "",
        aes_keys=tuple(key for key in keys if key),
        secret=_secret(settings.wechat_secret),
        api_base=(settings.wechat_api_base or PLATFORM).rstrip("/"),
    )


def demo_account(settings: Settings) -> Account:
    """The account of ``wenban wechat simulate``: credentials drawn once for the home, kept there with mode 0600."""
    file = settings.home / DEMO_FILE
    if not file.exists():
        _draw(file)
    kept = json.loads(file.read_text("utf-8"))
    base = settings.wechat_api_base or f"http://127.0.0.1:{settings.port + DEMO_PORT_OFFSET}"
    return Account(**{**kept, "aes_keys": tuple(kept["aes_keys"])}, api_base=base.rstrip("/"), demo=True)


def _draw(file: Path) -> None:
    letters = string.ascii_letters + string.digits

    def drawn(length: int) -> str:
        return "".join(secrets.choice(letters) for _ in range(length))

    # The last letter carries but four bits of the key: A to P's even ones decode alike everywhere.
    made = Account(drawn(32), f"wx{secrets.token_hex(8)}", (f"{drawn(42)}A",), secrets.token_hex(16))
    values = {name: value for name, value in asdict(made).items() if name not in {"api_base", "demo"}}
    with explaining():
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
            json.dump(values, written)
        try:
            os.link(fresh, file)  # whoever is first wins
        except FileExistsError:
            pass
        finally:
            fresh.unlink()


def _checked(name: str, key: str) -> None:
    try:
        if key:
            decoded_key(key)
    except ValueError as error:
        setting = f"WENBAN_WECHAT_{name}"
        raise ConfigurationError(
            f"设置 {setting} 不可用：EncodingAESKey 应是 43 个字母和数字。",
            remedy="请从公众平台“服务器配置”里原样复制。",
            details=[{"setting": setting}],
        ) from error


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value else ""
