"""What the first screen offers: questions about matters that the published catalogue really has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.matters.service import MatterService

MOST = 6


@dataclass(frozen=True, slots=True)
class Summary:
    """The published catalogue in numbers, with starter questions."""

    version: str
    matters: int
    departments: int
    starters: Sequence[str]


class Starters:
    """Reads the catalogue once for each version. ``wishes``: what to look for and how to ask (``words.toml``)."""

    def __init__(self, matters: MatterService, wishes: Sequence[Mapping[str, str]]) -> None:
        self._matters = matters
        self._wishes = wishes
        self._known: Summary | None = None

    def summary(self) -> Summary | None:
        """None where nothing is published."""
        version = self._matters.current_version()
        if version is None:
            return None
        if self._known is None or self._known.version != version:
            counts = self._matters.counts()
            self._known = Summary(version, counts.guides, len(counts.departments), tuple(self._questions())[:MOST])
        return self._known

    def _questions(self) -> Iterable[str]:
        for wish in self._wishes:
            for found in self._matters.search(wish["find"], size=1).items:
                published = self._matters.get_any(found.code)
                if published is not None:
                    spoken = [name for name in published.guide.aliases if wish["find"] in name]
                    yield wish["ask"].format(name=min(spoken, key=len, default=published.guide.name))


def transcript_words(events: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    """What pressed buttons sent → what was written on them, from the choices of a transcript."""
    return {
        choice["payload"]: choice["title"]
        for event in events
        if event["kind"] == "bot"
        for message in event["payload"]["messages"]
        for choice in message.get("choices") or ()
    }
