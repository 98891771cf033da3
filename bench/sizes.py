"""How import, index and retrieval grow with the catalogue."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from bench.composing import fill
from bench.generate import write
from bench.homes import import_guides, keep_vectors, settings_for, wenban
from bench.measuring import memory, summary, timed
from bot.settings import Settings
from channels.console.catalogue import searched_folder
from index.encoder import open_encoder
from index.searcher import Searcher
from index.second import SecondLook

WARM_UP = 30
LARGE = 10_000
"""Matters from which encoding takes so long that vectors are composed, once, and kept for the next run."""
DAY = date(2026, 11, 20)


def measure(folder: Path, sizes: Sequence[int], texts: Sequence[str]) -> list[dict[str, Any]]:
    """A row a size: what it costs to import, to import again unchanged, to build the index; retrieval; bytes."""
    return [_one(folder / f"home-{size}", size, texts) for size in sizes]


def home_of(folder: Path, size: int) -> Settings:
    """The home of ``size`` matters under ``folder``; the vectors of a large one are composed beside the work folder."""
    settings = settings_for(folder / f"home-{size}")
    if size >= LARGE:
        composed = folder.parent / "composed.cache"
        fill(composed, size, open_encoder(settings.encoder, threads=settings.encoder_threads))
        keep_vectors(settings, composed)
    file = settings.home / "guides.jsonl"
    if not file.exists():
        write(file, size)
    return settings


def _one(home: Path, size: int, texts: Sequence[str]) -> dict[str, Any]:
    settings = home_of(home.parent, size)
    file = home / "guides.jsonl"
    first = import_guides(settings, file)
    index = _index(settings)
    again = import_guides(settings, file)
    rebuilt = wenban(settings, "index", "rebuild")
    return {
        "matters": size,
        **index,
        "import_seconds": round(first.seconds, 1),
        "import_cpu_seconds": round(first.cpu_seconds, 1),
        "import_peak_mb": round(first.peak_mb, 1),
        "import_per_second": round(size / first.seconds, 1),
        "unchanged_seconds": round(again.seconds, 1),
        "index_seconds": round(rebuilt.seconds, 1),
        **retrieval(settings, texts),
    }


def _index(settings: Settings) -> dict[str, Any]:
    folder = searched_folder(settings)
    info = json.loads((folder / "index.json").read_text("utf-8"))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {"texts": info["rows"], "encoded": info["encoded"], "index_mb": round(size / 2**20, 1)}


def retrieval(settings: Settings, texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Latency of one search after another in this process, encoding included; without and with the second look.

    And what the process holds afterwards.
    """
    folder = searched_folder(settings)
    encoder = open_encoder(settings.encoder, threads=settings.encoder_threads)
    second = SecondLook.beside(encoder, threads=settings.encoder_threads)
    found: dict[str, dict[str, Any]] = {}
    for name, looked in (("retrieval_ms", None), ("second_look_ms", second)):
        searcher = Searcher.open(folder, encoder, second=looked)
        for text in texts[:WARM_UP]:
            searcher.find(text, today=DAY)
        took = [timed(partial(searcher.find, text, today=DAY)) for text in texts]
        found[name] = {**summary(took), "process_mb": memory({"bench": os.getpid()})["total"]}
    return found
