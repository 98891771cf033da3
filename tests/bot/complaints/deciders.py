"""Who decides on complaints in tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot.complaints.categories import CATEGORIES, Categories
from bot.complaints.deciding import Decider
from bot.matters.model import Power
from bot.rule_file import RuleFile
from index.dispatching import Dispatching
from index.encoder import Encoder


def decider_over(encoder: Encoder, powers: Sequence[Power], folder: Path) -> Decider:
    """One over ``powers`` and the categories that ship, with what ships for ``encoder``; it keeps its files in
    ``folder``.
    """
    dispatching = Dispatching.beside(encoder, folder / "vectors.cache")
    return Decider(dispatching, lambda: "1", lambda: powers, Categories(RuleFile(folder, CATEGORIES), dispatching))
