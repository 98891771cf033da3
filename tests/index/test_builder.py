"""Building: only new texts are encoded, a failed build leaves nothing, the pointer swaps while questions flow."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from index import vectors as vector_index
from index.builder import build_index
from index.documents import Document, document, passage
from index.encoder import Encoder, OpenVinoEncoder
from index.errors import IndexCorrupt
from index.holder import SearcherHolder, point, pointed
from index.searcher import Searcher
from index.states import PassageStates
from tests.index.conftest import GUIDES


def test_a_second_build_encodes_only_what_changed(tmp_path: Path, encoder: Encoder, documents: list[Document]) -> None:
    cache = tmp_path / "cache.db"
    first = build_index(documents, tmp_path / "one", encoder, cache=cache)
    distinct = {text.text for d in documents for text in d.texts}
    assert first.encoded == len(distinct)
    renamed = [document({**GUIDES[0], "name": "养蜂场变更登记"}), *documents[1:]]
    second = build_index(renamed, tmp_path / "two", encoder, cache=cache)
    assert second.encoded == 2, "the name, and the line of materials that starts with it"
    assert build_index(renamed, tmp_path / "three", encoder, cache=cache).encoded == 0


def test_progress_is_told(tmp_path: Path, encoder: Encoder, documents: list[Document]) -> None:
    told: list[tuple[int, int]] = []
    info = build_index(
        documents, tmp_path / "one", encoder, cache=tmp_path / "c", progress=lambda a, b: told.append((a, b))
    )
    assert (info.encoded, info.encoded) in told
    everything = info.encoded + len(documents)
    assert told[-1] == (everything, everything), "the passages that the second look reads come after the texts"


def test_passages_of_an_earlier_index_are_not_read_again(
    tmp_path: Path, encoder: OpenVinoEncoder, documents: list[Document]
) -> None:
    cache, told = tmp_path / "cache.db", list[tuple[int, int]]()
    build_index(documents, tmp_path / "one", encoder, cache=cache)
    renamed = [document({**GUIDES[0], "name": "养蜂场变更登记"}), *documents[1:]]
    info = build_index(
        renamed,
        tmp_path / "two",
        encoder,
        cache=cache,
        earlier=tmp_path / "one",
        progress=lambda *far: told.append(far),
    )
    assert told[-1] == (info.encoded + 1, info.encoded + 1)
    one, two = PassageStates(tmp_path / "one"), PassageStates(tmp_path / "two")
    assert len(one) == len(two) == len(documents)
    np.testing.assert_array_equal(one[1], two[1])
    assert one[0].shape != two[0].shape
    true = encoder.read_passages([passage((text.kind, text.text) for text in renamed[0].texts)])[1][0]
    np.testing.assert_allclose(two[0], true, atol=float(np.abs(true).max()) / 200)


def test_an_earlier_index_that_cannot_be_read_is_done_without(
    tmp_path: Path, encoder: Encoder, documents: list[Document]
) -> None:
    (tmp_path / "one").mkdir()
    build_index(documents, tmp_path / "two", encoder, cache=tmp_path / "c", earlier=tmp_path / "one")
    assert len(PassageStates(tmp_path / "two")) == len(documents)


@pytest.mark.parametrize("file", ["states.bin", "state_starts.npy", "state_scales.npy"])
def test_damaged_states_are_said(tmp_path: Path, encoder: Encoder, documents: list[Document], file: str) -> None:
    build_index(documents, tmp_path / "one", encoder, cache=tmp_path / "c")
    whole = (tmp_path / "one" / file).read_bytes()
    (tmp_path / "one" / file).write_bytes(whole[:-1001])
    with pytest.raises(IndexCorrupt):
        Searcher.open(tmp_path / "one", encoder)


def test_a_full_disk_leaves_no_folder(tmp_path: Path) -> None:
    """In a process whose files may not grow beyond a few bytes, as on a full disk."""
    program = """
import resource, signal, sys
from pathlib import Path
from index.builder import build_index
from index.documents import document
from index.encoder import open_encoder
from tests.index.conftest import GUIDES

documents, encoder, home = [document(g) for g in GUIDES], open_encoder(threads=1), Path(sys.argv[1])
build_index(documents, home / "warm", encoder, cache=home / "cache.db")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
for cache in ("cache.db", "fresh.db"):
    try:
        build_index(documents, home / "one", encoder, cache=home / cache)
    except OSError:
        print("refused")
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["refused", "refused"]
    assert not (tmp_path / "one").exists()
    assert not (tmp_path / "one.unfinished").exists()


def test_the_swap_is_atomic_while_questions_are_answered(
    tmp_path: Path, encoder: Encoder, documents: list[Document]
) -> None:
    build_index(documents[:3], tmp_path / "one", encoder, cache=tmp_path / "c")
    build_index(documents, tmp_path / "two", encoder, cache=tmp_path / "c")
    point(tmp_path, "one")
    holder = SearcherHolder(tmp_path, encoder)
    codes: list[str] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            codes.append(holder.current().find("河道采砂许可").candidates[0].code)

    asker = threading.Thread(target=ask)
    asker.start()
    for name in ("two", "one") * 5:
        point(tmp_path, name)
        assert holder.refresh()
        assert holder.name == pointed(tmp_path) == name
    stop.set()
    asker.join()
    assert set(codes) == {"T03"}
    assert not holder.refresh(), "nothing changed"


def test_a_broken_new_index_leaves_the_old_one_in_use(
    tmp_path: Path, encoder: Encoder, documents: list[Document]
) -> None:
    build_index(documents, tmp_path / "one", encoder, cache=tmp_path / "c")
    point(tmp_path, "one")
    holder = SearcherHolder(tmp_path, encoder)
    holder.current()
    point(tmp_path, "missing")
    with pytest.raises(Exception, match="missing"):
        holder.refresh()
    assert holder.current().find("河道采砂许可").exact


def test_large_catalogues_get_an_inverted_file_that_finds_the_same() -> None:
    rows = np.random.default_rng(0).normal(size=(vector_index.EXACT_UP_TO + 5_000, 32)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    inverted = vector_index.train(rows)
    assert "IVF" in type(inverted).__name__
    assert "Flat" in type(vector_index.train(rows[:100])).__name__
    _, found = vector_index.nearest(inverted, rows[:200], 1)
    assert (found[:, 0] == np.arange(200)).mean() > 0.95
