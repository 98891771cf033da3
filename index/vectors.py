"""Nearest texts by FAISS: exact while that is fast, an inverted file beyond, by the number of rows.

Measured on two cores, 384 dimensions: flat search over 20,000 rows costs about 2 ms; an inverted file of byte
codes stays near 1 ms at 500,000 rows and finds 95 to 97 % of what the exact search finds.
"""

from __future__ import annotations

import math
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors
from index.errors import IndexCorrupt

EXACT_UP_TO = 20_000
"""Rows up to which every row is compared."""

PROBES = 48
"""Lists of the inverted file that one search visits."""

BLOCK = 65_536
"""Rows that are added at once: with those of a large catalogue in full precision a building process would be larger by
half a gigabyte."""


def train(vectors: NDArray[np.floating]) -> faiss.Index:
    """An index over ``vectors`` (rows of length one, of any precision), exact or inverted by :data:`EXACT_UP_TO`."""
    rows, dimension = vectors.shape
    if rows <= EXACT_UP_TO:
        flat = faiss.IndexFlatIP(dimension)
        flat.add(np.ascontiguousarray(vectors, np.float32))
        return flat
    lists = int(min(4 * math.sqrt(rows), rows / 39))
    quantiser = faiss.IndexFlatIP(dimension)
    inverted = faiss.IndexIVFScalarQuantizer(
        quantiser, dimension, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    inverted.own_fields = True
    quantiser.this.disown()  # type: ignore[attr-defined]  # the inverted file frees it
    inverted.cp.seed = 1
    inverted.cp.niter = 10
    sample = np.random.default_rng(0).choice(rows, min(rows, lists * 40), replace=False)
    inverted.train(np.ascontiguousarray(vectors[np.sort(sample)], np.float32))
    for start in range(0, rows, BLOCK):
        inverted.add(np.ascontiguousarray(vectors[start : start + BLOCK], np.float32))
    inverted.nprobe = PROBES
    return inverted


def save(index: faiss.Index, path: Path) -> None:
    """Write ``index`` to ``path``; an OSError when the disk is full."""
    path.write_bytes(faiss.serialize_index(index).data)


def load(path: Path) -> faiss.Index:
    """The index at ``path``; :class:`IndexCorrupt` when it cannot be read."""
    try:
        return restored(np.frombuffer(path.read_bytes(), np.uint8))
    except (OSError, RuntimeError) as error:
        raise IndexCorrupt(f"{path}: {error}") from error


def restored(stored: NDArray[np.uint8]) -> faiss.Index:
    """The index from its bytes; a RuntimeError when they are none."""
    index = faiss.deserialize_index(stored)
    if isinstance(index, faiss.IndexIVF):
        index.nprobe = PROBES
    return index


def nearest(index: faiss.Index, vectors: Vectors, rows: int) -> tuple[Vectors, NDArray[np.int64]]:
    """Cosines and row numbers of the ``rows`` nearest to each vector, best first; -1 where there are fewer."""
    scores, numbers = index.search(np.ascontiguousarray(vectors), min(rows, index.ntotal))
    return scores, numbers
