"""What a database's or a file system's own error means to people: full, busy, gone."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError

from bot.errors import StorageFull, Unavailable, WenbanError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FULL_WORDS = (
    "database or disk is full",
    "no space left on device",
    "could not extend file",
    "disk quota exceeded",
    "file too large",
)
_BUSY_WORDS = ("database is locked", "database table is locked", "deadlock detected", "could not serialize access")


def explained(error: BaseException) -> WenbanError | None:
    """The error to show for ``error``, or None where it is a programming fault and should stay what it is."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return _full()
    if isinstance(error, OSError | RuntimeError) and any(word in str(error).lower() for word in _FULL_WORDS):
        return _full()  # libraries that wrap the system's error keep its words
    if not isinstance(error, DBAPIError):
        return None
    words = str(error.orig).lower()
    if any(word in words for word in _FULL_WORDS):
        return _full()
    if any(word in words for word in _BUSY_WORDS):
        return Unavailable("系统正忙，刚才的操作没有保存。", code="store_busy", remedy="请稍等几秒再试一次。")
    if isinstance(error, OperationalError) or error.connection_invalidated:
        return Unavailable(
            "数据库暂时无法使用，刚才的操作没有保存。",
            code="store_unavailable",
            remedy="请稍后再试；若一直如此，请检查数据库是否在运行、WENBAN_DATABASE_URL 是否正确。",
        )
    return None


@contextmanager
def explaining() -> Iterator[None]:
    """Raises the explained error, where there is one, in place of what happens inside."""
    try:
        yield
    except (OSError, RuntimeError, DBAPIError) as error:
        shown = explained(error)
        if shown is None:
            raise
        raise shown from error


def _full() -> StorageFull:
    return StorageFull(
        "磁盘空间不足，刚才的操作没有保存，原有内容没有变化。", remedy="请清理磁盘或换到更大的磁盘后再试一次。"
    )
