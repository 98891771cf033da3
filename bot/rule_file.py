"""A table of rules that ships with the product and that a city may replace by a file of its own under the home.

The file is followed as it changes, by whoever changes it: a page, an editor, another process. A faulty file is refused
at the start and later only logged: the rules read before it stay.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from bot.errors import ConfigurationError, Conflict, InvalidInput
from bot.store.faults import explaining

T = TypeVar("T")
LONGEST = 400_000
"""Characters a file may have."""

log = structlog.get_logger("wenban.rules")


@dataclass(frozen=True, slots=True)
class Table(Generic[T]):
    """One kind of table. ``parse`` raises ValueError in Chinese; ``page`` is the documentation that explains it."""

    name: str
    title: str
    file: str
    page: str
    shipped: Callable[[], str]
    parse: Callable[[str], T]

    def checked(self, text: str) -> T:
        """The rules in ``text``. Raises InvalidInput that says what is wrong and where."""
        if len(text) > LONGEST:
            raise InvalidInput(f"{self.title}太长。", code=f"{self.name}_invalid", remedy=f"最多 {LONGEST} 个字。")
        try:
            return self.parse(text)
        except ValueError as error:
            raise InvalidInput(
                f"{self.title}不能使用：{error}。",
                code=f"{self.name}_invalid",
                remedy=f"请对照 {self.page} 改正；原来的继续有效。",
            ) from error


class RuleFile(Generic[T]):
    """The rules in force: the city's file under ``home`` where there is one, else what ships.

    Raises ConfigurationError, naming the file and the fault, where it cannot be used at the start.
    """

    def __init__(self, home: Path, table: Table[T], on_change: Callable[[T], None] = lambda _: None) -> None:
        self.table = table
        self.path = home / table.file
        self._on_change = on_change
        self._stamp = self._stamped()
        self._rules = self._read()

    @property
    def is_own(self) -> bool:
        """Whether the city has a file of its own."""
        return self.path.exists()

    def current(self) -> T:
        """The rules of this moment."""
        stamp = self._stamped()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._rules = self._read()
            except ConfigurationError as error:
                log.error("rules_refused", table=self.table.name, reason=error.message)
            else:
                log.info("rules_in_use", table=self.table.name, file=str(self.path))
                self._on_change(self._rules)
        return self._rules

    def text(self) -> str:
        """The text of the rules in force."""
        return self.path.read_text("utf-8") if self.path.exists() else self.table.shipped()

    def write(self, text: str, seen: str | None = None) -> T:
        """Puts ``text`` in place of the city's file, whole or not at all; the one before is kept beside it.

        ``seen``: the digest of the text that was changed. Raises InvalidInput, StorageFull, and Conflict where somebody
        else changed the file meanwhile.
        """
        rules = self.table.checked(text)
        if seen is not None and seen != digest(self.text()):
            raise Conflict(
                f"{self.table.title}刚被别人改过。",
                code="rules_changed",
                remedy="请打开最新的一份，把您的改动写进去再保存。",
            )
        with explaining():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self.path.with_name(f".{self.path.name}.{os.getpid()}.new")
            try:
                fresh.write_text(text, "utf-8")
                if self.path.exists():
                    self._keep()
                fresh.replace(self.path)
            finally:
                fresh.unlink(missing_ok=True)
        return rules

    def restore(self) -> None:
        """Takes the city's file away, so that what ships holds again; it is kept beside. Raises StorageFull."""
        if self.path.exists():
            with explaining():
                self._keep()
                self.path.unlink(missing_ok=True)

    def _keep(self) -> None:
        kept = self.path.with_name(f"{self.path.name}.{digest(self.path.read_text('utf-8'))[:12]}.kept")
        if not kept.exists():
            kept.write_bytes(self.path.read_bytes())

    def _read(self) -> T:
        try:
            return self.table.parse(self.text())
        except (ValueError, OSError) as error:
            raise ConfigurationError(
                f"{self.table.title}文件 {self.path} 无法使用：{error}",
                code=f"{self.table.name}_invalid",
                remedy=f"请对照 {self.table.page} 改正这个文件，或先移走它。",
            ) from error

    def _stamped(self) -> tuple[int, int]:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return (0, 0)
        return (found.st_mtime_ns, found.st_ino)


def digest(text: str) -> str:
    """Tells one text of rules from another."""
    return hashlib.sha256(text.encode()).hexdigest()
