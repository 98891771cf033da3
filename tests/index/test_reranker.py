"""The reranker that ships: reads the shipped encoder only, orders look-alikes, says what is wrong with its folder."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.builder import build_index
from index.documents import Document, TextKind, passage
from index.encoder import Encoder, OpenVinoEncoder, TokenEncoder
from index.errors import EncoderUnavailable
from index.ranking import SHIPPED as RANKER
from index.ranking import UNREAD, VIEWED, Evidence, Ranker, unmoved
from index.reranker import SHIPPED, STEP, Reranker, padded
from index.searcher import Searcher
from index.second import SecondLook


@pytest.fixture(scope="module")
def reranker(encoder: Encoder) -> Reranker:
    found = Reranker.beside(encoder, threads=1)
    assert found is not None, "the shipped reranker reads the shipped encoder"
    return found


def asked(reranker: Reranker, text: str) -> np.ndarray:
    return reranker.encoder.read_queries([text])[1][0]


def told(reranker: Reranker, *texts: str) -> list[np.ndarray]:
    return reranker.encoder.read_passages(texts)[1]


def test_the_right_passage_comes_before_look_alikes(reranker: Reranker) -> None:
    passages = told(
        reranker, "居民身份证丢失补领；身份证丢了补办", "居民身份证首次申领；第一次办身份证", "机动车号牌补领；车牌丢了"
    )
    logits = reranker.logits(asked(reranker, "我的身份证掉了，怎么补一张"), passages)
    assert logits.argmax() == 0
    assert logits[2] < 0, "about something else: not meant"


def test_a_logit_does_not_depend_on_its_neighbours(reranker: Reranker) -> None:
    question = asked(reranker, "开个小饭馆要办啥证")
    passages = told(
        reranker, "食品经营许可新办", "不动产首次登记；房子办证；新房第一次登记；尚未登记的不动产，由权利人申请"
    )
    together = reranker.logits(question, passages)
    alone = [reranker.logits(question, [states])[0] for states in passages]
    np.testing.assert_allclose(together, alone, atol=0.02)
    assert reranker.logits(question, []).shape == (0,)


def test_token_states_come_with_the_same_vectors(encoder: Encoder) -> None:
    assert isinstance(encoder, TokenEncoder)
    texts = ["身份证丢了", "给刚出生的娃上户口要带什么东西去派出所"]
    vectors, states = encoder.read_queries(texts)
    np.testing.assert_allclose(vectors, encoder.encode_queries(texts), atol=1e-4)
    assert len(states[0]) < len(states[1])


class Foreign:
    """An encoder without token states, as a sentence-transformers model is."""

    identity, dimension = "foreign:1", 8

    def encode_queries(self, texts: list[str]) -> np.ndarray:
        return np.ones((len(texts), 8), np.float32)

    encode_passages = encode_queries


def test_another_encoder_goes_without(encoder: Encoder, tmp_path: Path) -> None:
    assert Reranker.beside(Foreign()) is None
    folder = tmp_path / "reranker"
    shutil.copytree(SHIPPED, folder)
    (folder / "reranker.json").write_text('{"encoder": "another:1"}')
    assert Reranker.beside(encoder, folder) is None


@pytest.mark.parametrize("damage", ["missing", "no graph", "cut", "no json"])
def test_a_damaged_folder_is_said(encoder: OpenVinoEncoder, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "reranker"
    if damage != "missing":
        shutil.copytree(SHIPPED, folder)
    if damage == "no graph":
        (folder / "openvino_model.xml").unlink()
    elif damage == "cut":
        (folder / "openvino_model.xml").write_text("<net")
    elif damage == "no json":
        (folder / "reranker.json").write_text("{}")
    with pytest.raises(EncoderUnavailable, match="reranker"):
        Reranker.beside(encoder, folder)


def test_a_passage_begins_with_the_name_and_is_short() -> None:
    texts = [(TextKind.NAME, "养蜂场登记"), (TextKind.ALIAS, "登记蜂场"), (TextKind.CONDITIONS, "饲养" * 60)]
    assert passage(texts).startswith("养蜂场登记；登记蜂场；饲养")
    assert len(passage(texts)) < 80


def test_a_second_look_keeps_probabilities(encoder: Encoder, documents: list[Document], tmp_path: Path) -> None:
    folder = tmp_path / "index"
    build_index(documents, folder, encoder, cache=tmp_path / "cache.db")
    searcher = Searcher.open(folder, encoder, second=SecondLook.beside(encoder, threads=1))
    found = searcher.find("我屋头想喂几十箱蜜蜂，要到哪里去登个记")
    scores = [candidate.score for candidate in found.candidates]
    assert found.candidates[0].code == "T01"
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) <= 1.0001
    looks = searcher.looks("养蜂要登记吗")
    assert looks is not None
    assert len(looks.logits) == min(4, len(looks.codes))
    assert len(looks.shares) == len(looks.probability)
    assert looks.shares.sum() == pytest.approx(1, abs=1e-4)


def said(*logits: float, first: tuple[float, ...] = (0.3, 0.3, 0.2, 0.2)) -> Evidence:
    """What both looks say where the common matters favour nobody and the reranker read the first matters."""
    even = np.full(len(first), 1 / len(first), np.float32)
    places, told = np.arange(len(logits)), np.array(logits, np.float32)
    return Evidence(np.array(first, np.float32), even, 0.5, follows=False, places=places, logits=told)


def test_what_the_reranker_favours_gains() -> None:
    ranker = Ranker.load()
    evidence = said(3, -3)
    again = ranker.again(evidence)
    assert again[0] > evidence.first[0] > again[1]
    assert again.sum() == pytest.approx(1, abs=1e-5)
    assert ranker.again(said(-4, -4))[-1] > evidence.first[-1]


def test_the_order_of_the_matters_does_not_matter() -> None:
    ranker, evidence = Ranker.load(), said(2, -1, first=(0.5, 0.2, 0.1, 0.2))
    turned = replace(evidence, first=evidence.first[[2, 1, 0, 3]], places=np.array([2, 1]))
    np.testing.assert_allclose(ranker.again(turned)[[2, 1, 0, 3]], ranker.again(evidence), atol=1e-6)


def test_each_matter_is_seen_beside_its_best_rival() -> None:
    rival = VIEWED.index("rival")
    assert said(2, -1, 0.5).views()[:, rival].tolist() == [0.5, 2, 2, 2]
    assert said(2).views()[:, rival].tolist() == [UNREAD, 2, 2, 2]
    assert said().views()[:, rival].tolist() == [UNREAD] * 4
    assert said(1, 1).views()[:, rival].tolist() == [1] * 4


def test_one_matter_alone_can_be_weighed() -> None:
    alone = Ranker.load().again(said(2, first=(0.7, 0.3)))
    assert alone.sum() == pytest.approx(1, abs=1e-5)
    assert alone[0] > 0.7


def test_until_it_is_fitted_the_second_decision_leaves_the_first() -> None:
    with np.load(RANKER) as stored:
        ranker = Ranker({**{name: stored[name] for name in stored.files}, **unmoved()})
    evidence = said(3, -3)
    np.testing.assert_allclose(ranker.again(evidence), evidence.first, atol=1e-6)
    np.testing.assert_allclose(ranker.recalled(evidence), evidence.first, atol=1e-6)


def test_a_ranker_that_weighs_other_signs_is_refused(tmp_path: Path) -> None:
    with np.load(RANKER) as stored:
        weights = {name: stored[name] for name in stored.files}
    np.savez(tmp_path / "old.npz", **{n: w for n, w in weights.items() if not n.startswith("again_")})
    with pytest.raises(EncoderUnavailable, match="fit it again"):
        Ranker.load(tmp_path / "old.npz")


@pytest.mark.parametrize(("longest", "length"), [(1, STEP), (STEP, STEP), (STEP + 1, 2 * STEP)])
def test_padded_lengths_grow_by_steps(longest: int, length: int) -> None:
    texts = [np.ones((1, 4), np.float16), np.ones((longest, 4), np.float16)]
    states, mask = padded(texts)
    assert states.shape == (2, length, 4)
    assert mask.sum(axis=1).tolist() == [1, longest]
    assert states.sum() == mask.sum() * 4
