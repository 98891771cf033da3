"""What is done with API keys: making one, knowing whose a token is, taking it back."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

from bot.clock import Clock
from bot.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from bot.keys import repository
from bot.keys.model import TOKEN_PREFIX, Key, Scope, checked_name
from bot.keys.tables import KeyRow
from bot.store import Store

_USED_EVERY = timedelta(minutes=10)
"""How exactly it is known when a key was last used."""


class KeyService:
    """API keys in the store. Safe to use from several threads."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def add(self, name: str, scopes: Sequence[Scope], *, actor: str) -> tuple[str, Key]:
        """A new key: its token, which is shown this once, and the key. Raises InvalidInput, Conflict."""
        name = checked_name(name)
        if not scopes:
            raise InvalidInput(
                "没有说明这把密钥能做什么。", code="key_scopes_missing", remedy="请至少给一个权限，例如 cases:write。"
            )
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        with self._store.write() as work:
            if repository.by_name(work.session, name) is not None:
                raise Conflict(
                    f"已有名为 {name} 的密钥。", code="key_name_taken", remedy="请换一个名称；吊销过的名称也不再使用。"
                )
            row = KeyRow(
                name=name,
                digest=_digest(token),
                scopes=sorted({scope.value for scope in scopes}),
                created_at=self._clock.now(),
                created_by=actor,
            )
            work.session.add(row)
            work.audit(actor, "key.add", name, {"scopes": row.scopes})
            return token, _key(row)

    def authorise(self, token: str | None, scope: Scope) -> Key:
        """The key of ``token``, which may do ``scope``. Raises Unauthenticated or Forbidden."""
        row = None
        if token and token.startswith(TOKEN_PREFIX):
            with self._store.read() as session:
                row = repository.by_digest(session, _digest(token))
        if row is None or row.revoked_at is not None:
            raise Unauthenticated(
                "没有可用的接口密钥。",
                code="key_unknown",
                remedy="请在请求头写 Authorization: Bearer 密钥；密钥由 wenban keys add 生成。",
            )
        if scope.value not in row.scopes:
            raise Forbidden(
                "这把密钥没有这个权限。", code="key_scope_missing", remedy=f"请换用有 {scope.value} 权限的密钥。"
            )
        now = self._clock.now()
        if row.used_at is None or now - row.used_at >= _USED_EVERY:
            with self._store.write() as work:
                current = repository.by_name(work.session, row.name)
                if current is not None:
                    current.used_at = now
        return _key(row)

    def revoke(self, name: str, *, actor: str) -> Key:
        """Takes a key back; it counts no more from now on. Raises NotFound."""
        with self._store.write() as work:
            row = repository.by_name(work.session, name.strip().lower())
            if row is None:
                raise NotFound(
                    f"没有名为 {name} 的密钥。", code="key_not_found", remedy="wenban keys list 可列出全部密钥。"
                )
            if row.revoked_at is None:
                row.revoked_at = self._clock.now()
                work.audit(actor, "key.revoke", row.name)
            return _key(row)

    def keys(self) -> list[Key]:
        """Every key, revoked ones too, by name."""
        with self._store.read() as session:
            return [_key(row) for row in repository.all_keys(session)]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _key(row: KeyRow) -> Key:
    scopes = tuple(Scope(word) for word in row.scopes)
    return Key(row.name, scopes, row.created_at, row.created_by, row.used_at, row.revoked_at)
