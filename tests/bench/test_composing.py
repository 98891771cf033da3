import sqlite3
from pathlib import Path

import numpy as np

from bench.composing import ComposingEncoder, fill, parts_of
from bench.generate import catalogue, sample
from index.documents import document
from tests.bot.hashing_encoder import HashingEncoder


def test_every_text_of_a_catalogue_has_its_parts() -> None:
    size = len(sample()) + 40
    wanted = {text.text for guide in catalogue(sample(), size) for text in document(guide).texts}
    parts = dict(parts_of(size))
    assert parts.keys() == wanted
    composed = [(text, *given) for text, given in parts.items() if given[1]]
    assert composed
    assert all(label in text for text, _, label in composed)


def test_a_text_without_a_label_is_encoded_and_others_lie_between_their_parts() -> None:
    encoder = HashingEncoder()
    composing = ComposingEncoder(encoder)
    composing.parts = {"云城区补身份证": ("补身份证", "云城区")}
    plain, put_together = composing.encode_passages(["补身份证", "云城区补身份证"])
    base, label = encoder.encode_passages(["补身份证", "云城区"])
    assert np.allclose(plain, base)
    assert np.linalg.norm(put_together) == np.float32(1) or np.isclose(np.linalg.norm(put_together), 1)
    assert put_together @ base > label @ base


def test_a_second_fill_leaves_what_is_there(tmp_path: Path) -> None:
    cache = tmp_path / "composed.cache"
    fill(cache, 30, HashingEncoder())
    before = sqlite3.connect(cache).execute("SELECT key, vector FROM vectors").fetchall()
    fill(cache, 30, HashingEncoder())
    assert sqlite3.connect(cache).execute("SELECT key, vector FROM vectors").fetchall() == before
    assert before
