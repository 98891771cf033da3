"""Validated rows of an import, held on disk until the whole file is known to be good.

A file of 45,000 guides is some 200 MB: in memory only codes, hashes and offsets are kept.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bot.matters.model import Guide, Power
from bot.text import normalise

SEARCHED = 500
"""Characters of name and aliases that the list of matters is searched by."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a catalogue: what is listed and searched by, and the hash of the full content."""

    code: str
    digest: str
    name: str
    searched: str
    department: str
    item_kind: str
    valid_from: date | None
    valid_to: date | None


class Spool:
    """Entries by code in file order, with their contents in a temporary file. Close it to free the disk."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  closed by close()
        self._spans: dict[str, tuple[int, int]] = {}
        self._end = 0
        self.entries: dict[str, Entry] = {}

    def add(self, item: Guide | Power) -> None:
        """Adds an item; its code must be new."""
        body = canonical(item)
        digest = hashlib.sha256(body).hexdigest()
        self._file.write(body)
        self._spans[digest] = (self._end, len(body))
        self._end += len(body)
        guide = item if isinstance(item, Guide) else None
        words = [item.name, *(guide.aliases if guide else ())]
        self.entries[item.code] = Entry(
            code=item.code,
            digest=digest,
            name=item.name,
            searched=searchable(words),
            department=item.department,
            item_kind=item.kind,
            valid_from=guide.valid_from if guide else None,
            valid_to=guide.valid_to if guide else None,
        )

    def bodies(self, digests: Iterable[str]) -> Iterator[tuple[str, str]]:
        """The contents (canonical JSON) of ``digests``."""
        for digest in digests:
            start, length = self._spans[digest]
            self._file.seek(start)
            yield digest, self._file.read(length).decode()

    def close(self) -> None:
        self._file.close()


def canonical(item: Guide | Power) -> bytes:
    """The content that is stored and hashed: JSON in the order of the model's fields, less those at their default."""
    return item.model_dump_json(exclude_defaults=True).encode()


def searchable(words: Iterable[str]) -> str:
    """Words as the list is searched by: normalised, lower case, one line each."""
    return "\n".join(normalise(word).lower() for word in words)[:SEARCHED]
