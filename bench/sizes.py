"""How import, index and retrieval grow with the catalogue."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from bench.generate import write
from bench.homes import import_guides, settings_for, wenban
from bench.measuring import memory, summary, timed
from bot.settings import Settings
from channels.console.catalogue import searched_folder
from index.encoder import open_encoder
from index.searcher import Searcher

WARM_UP = 30
DAY = date(2026, 11, 20)


def measure(folder: Path, sizes: Sequence[int], texts: Sequence[str]) -> list[dict[str, Any]]:
    """A row a size: seconds to import, to import again unchanged, to build the index; retrieval latency; bytes."""
    return [_one(folder / f"home-{size}", size, texts) for size in sizes]


def _one(home: Path, size: int, texts: Sequence[str]) -> dict[str, Any]:
    settings = settings_for(home)
    file = home / "guides.jsonl"
    write(file, size)
    first = timed(lambda: import_guides(settings, file))
    again = timed(lambda: import_guides(settings, file))
    rebuilt = timed(lambda: wenban(settings, "index", "rebuild"))
    return {
        "matters": size,
        "import_seconds": round(first, 1),
        "import_per_second": round(size / first, 1),
        "unchanged_seconds": round(again, 1),
        "index_seconds": round(rebuilt, 1),
        **_index(settings),
        "retrieval_ms": retrieval(settings, texts),
    }


def _index(settings: Settings) -> dict[str, Any]:
    folder = searched_folder(settings)
    info = json.loads((folder / "index.json").read_text("utf-8"))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {"texts": info["rows"], "index_mb": round(size / 2**20, 1)}


def retrieval(settings: Settings, texts: Sequence[str]) -> dict[str, Any]:
    """Latency of one search after another, encoding included, in this process; and what the process holds."""
    import os

    searcher = Searcher.open(
        searched_folder(settings), open_encoder(settings.encoder, threads=settings.encoder_threads)
    )
    for text in texts[:WARM_UP]:
        searcher.find(text, today=DAY)
    took = [timed(lambda text=text: searcher.find(text, today=DAY)) for text in texts]  # type: ignore[misc]
    return {**summary(took), "process_mb": memory({"bench": os.getpid()})["total"]}
