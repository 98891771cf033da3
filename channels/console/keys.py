"""The commands ``keys``: API keys of business systems."""

from __future__ import annotations

from collections.abc import Sequence

from bot.errors import InvalidInput
from bot.keys.model import Scope
from bot.keys.service import KeyService
from bot.settings import load_settings
from channels.console import parts
from channels.console.output import OUT, print_json, table

ACTOR = "terminal"


def add(name: str, scopes: Sequence[str]) -> None:
    """Makes a key and shows its token this once. Raises InvalidInput, Conflict."""
    known = {scope.value: scope for scope in Scope}
    unknown = [scope for scope in scopes if scope not in known]
    if unknown:
        raise InvalidInput(
            f"没有权限 {unknown[0]}。", code="key_scope_unknown", remedy=f"可用的权限：{'、'.join(known)}。"
        )
    token, key = _keys().add(name, [known[scope] for scope in scopes], actor=ACTOR)
    OUT.print(f"密钥 {key.name}（{'、'.join(key.scopes)}）已生成，只显示这一次，请妥善保存：")
    OUT.print(token, markup=False)


def show(*, as_json: bool) -> None:
    """Every key, without tokens."""
    found = _keys().keys()
    if as_json:
        print_json(
            [
                {
                    "name": key.name,
                    "scopes": list(key.scopes),
                    "created_at": key.created_at.isoformat(),
                    "used_at": key.used_at.isoformat() if key.used_at else None,
                    "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
                }
                for key in found
            ]
        )
        return
    rows = [
        (
            key.name,
            "、".join(key.scopes),
            f"{key.created_at:%Y-%m-%d}",
            f"{key.used_at:%Y-%m-%d %H:%M}" if key.used_at else "从未",
            "已吊销" if key.revoked_at else "可用",
        )
        for key in found
    ]
    OUT.print(table(["名称", "权限", "生成", "最近使用", "状态"], rows) if rows else "还没有密钥。")


def revoke(name: str) -> None:
    """Takes a key back. Raises NotFound."""
    key = _keys().revoke(name, actor=ACTOR)
    OUT.print(f"密钥 {key.name} 已吊销，立即生效。")


def _keys() -> KeyService:
    settings = load_settings()
    parts.upgrade(settings)
    return parts.casework(settings).keys
