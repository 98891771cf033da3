"""The account's access token, fetched once for all processes: a lease in the database says who fetches.

``stable_token`` (公众平台：获取稳定版接口调用凭据) gives the same token until it nearly expires; only where the
platform refuses a token that should be valid is a new one forced.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.errors import ConfigurationError
from bot.store import Store
from bot.store.sealed import Sealer
from bot.wechat import repository
from bot.wechat.tables import TokenRow
from channels.wechat.faults import NotDone

EARLY = timedelta(minutes=3)
"""A token is renewed so long before it expires."""
LEASE = timedelta(seconds=12)
"""How long one process may take to fetch; longer than the fetch's own time limit."""
POLL = 0.1
PATIENCE = 15.0
"""Seconds to wait for another process's fetch."""

Fetch = Callable[[bool], Awaitable[tuple[str, int]]]
"""Fetches a token, by force or not: the token and for how many seconds it is valid."""


@dataclass(frozen=True, slots=True)
class _Kept:
    token: str
    expires_at: datetime


class Tokens:
    """Gives the token; one fetch at a time over all processes that share the database."""

    def __init__(self, store: Store, sealer: Sealer, clock: Clock, app_id: str, fetch: Fetch) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._app_id = app_id
        self._fetch = fetch
        self._me = secrets.token_hex(16)
        self._kept: _Kept | None = None
        self._turn = asyncio.Lock()

    async def get(self, refused: str | None = None) -> str:
        """A valid token. ``refused``: one that the platform has just refused; another is returned then.

        Raises PlatformFault.
        """
        if self._usable(self._kept, refused):
            return self._kept.token  # type: ignore[union-attr]  # usable: not None
        async with self._turn:  # one of this process; the database chooses one of all
            if not self._usable(self._kept, refused):
                self._kept = await self._found(refused)
            return self._kept.token  # type: ignore[union-attr]  # _found returns one or raises

    def _usable(self, kept: _Kept | None, refused: str | None) -> bool:
        return kept is not None and kept.token != refused and kept.expires_at - EARLY > self._clock.now()

    async def _found(self, refused: str | None) -> _Kept:
        give_up = asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < give_up:
            kept, mine = await asyncio.to_thread(self._look, refused)
            if kept is not None:
                return kept
            if mine:
                return await self._fetched(refused)
            await asyncio.sleep(POLL)
        raise NotDone("等不到微信平台的凭证。", remedy="请检查网络和微信平台的状态。")

    def _look(self, refused: str | None) -> tuple[_Kept | None, bool]:
        """The token others fetched, or the right to fetch one."""
        now = self._clock.now()
        with self._store.write() as work:
            row = repository.token_to_change(work.session, self._app_id)
            kept = self._opened(row)
            if self._usable(kept, refused):
                return kept, False
            if row.fetching_until is not None and row.fetching_until > now and row.fetching_by != self._me:
                return None, False
            row.fetching_by, row.fetching_until = self._me, now + LEASE
            return None, True

    async def _fetched(self, refused: str | None) -> _Kept:
        try:
            token, seconds = await self._fetch(False)
            if token == refused:
                token, seconds = await self._fetch(True)
        except BaseException:
            await asyncio.to_thread(self._store_token, None)
            raise
        kept = _Kept(token, self._clock.now() + timedelta(seconds=seconds))
        await asyncio.to_thread(self._store_token, kept)
        return kept

    def _store_token(self, kept: _Kept | None) -> None:
        with self._store.write() as work:
            row = repository.token(work.session, self._app_id, locked=True)
            if row is None or row.fetching_by != self._me:
                return
            row.fetching_by = row.fetching_until = None
            if kept is not None:
                row.sealed = self._sealer.seal(kept.token, self._context)
                row.expires_at, row.fetches = kept.expires_at, row.fetches + 1

    def _opened(self, row: TokenRow) -> _Kept | None:
        if row.sealed is None or row.expires_at is None:
            return None
        try:
            return _Kept(self._sealer.open(row.sealed, self._context), row.expires_at)
        except ConfigurationError:
            return None  # sealed under a key that is gone: a token can be fetched again

    @property
    def _context(self) -> str:
        return f"wechat_tokens.sealed.{self._app_id}"
