"""The shipped encoder: vectors of length one, the same alone and in a batch, from any thread, without torch."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from index.encoder import Encoder, OpenVinoEncoder, open_encoder
from index.errors import EncoderUnavailable
from index.lexical import Lexical, tokens
from index.normal import bare, key
from index.pinyin import syllables

TEXTS = ["身份证丢了", "给刚出生的娃上户口要带什么东西去派出所", "1", "", "🙂"]


def test_vectors_have_length_one_and_do_not_depend_on_the_batch(encoder: Encoder) -> None:
    together = encoder.encode_queries(TEXTS)
    assert together.shape == (len(TEXTS), encoder.dimension)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-3)
    for text, vector in zip(TEXTS, together, strict=True):
        assert float(encoder.encode_queries([text])[0] @ vector) > 0.999


def test_many_texts_come_back_in_their_order(encoder: Encoder) -> None:
    texts = [f"第{number}号许可证" + "核发" * (number % 7) for number in range(3 * OpenVinoEncoder.group)]
    together = encoder.encode_passages(texts)
    for number in (0, 1, 50, len(texts) - 1):
        assert float(encoder.encode_passages([texts[number]])[0] @ together[number]) > 0.999


FIRST_ANSWERS = """
import os, threading
from index.encoder import open_encoder
encoder, ready = open_encoder(threads=2), threading.Barrier(8)
def ask():
    ready.wait()
    encoder.encode_queries(["路灯不亮"])
askers = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
for each in askers: each.start()
for each in askers: each.join(60)
os._exit(sum(each.is_alive() for each in askers))
"""


def test_a_process_whose_first_answers_are_asked_for_at_once_gives_them() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_ANSWERS], cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == 0


def test_no_text_gives_no_row(encoder: Encoder) -> None:
    assert encoder.encode_passages([]).shape == (0, encoder.dimension)


def test_threads_do_not_disturb_each_other(encoder: Encoder) -> None:
    expected = encoder.encode_queries(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(lambda _: encoder.encode_queries(TEXTS), range(12)):
            np.testing.assert_allclose(got, expected, atol=1e-4)


def test_a_question_is_nearer_to_its_matter_than_to_another(encoder: Encoder) -> None:
    question = encoder.encode_queries(["身份证丢了咋补"])[0]
    right, wrong = encoder.encode_passages(["居民身份证补领", "机动车抵押登记"])
    assert question @ right > question @ wrong


@pytest.mark.parametrize("name", ["/nowhere/at/all"])
def test_an_encoder_that_is_not_there_is_said(name: str) -> None:
    with pytest.raises(EncoderUnavailable):
        open_encoder(name)


def test_a_damaged_encoder_is_said(tmp_path: Path) -> None:
    (tmp_path / "openvino_model.xml").write_text("<broken/>")
    with pytest.raises(EncoderUnavailable):
        open_encoder(str(tmp_path))


def test_serving_needs_no_torch() -> None:
    program = (
        "import sys; from index.searcher import Searcher; from index.encoder import open_encoder; open_encoder()\n"
    )
    program += "print([m for m in ('torch', 'transformers', 'sentence_transformers', 'sklearn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_tokens_are_pairs_of_han_and_whole_latin_runs() -> None:
    assert tokens("补办C1驾照") == ["补办", "c1", "驾照"]
    assert tokens("證") == ["證"]
    assert tokens("!!") == []


def test_lexical_scores_and_rarity() -> None:
    lexical = Lexical.build([tokens(t) for t in ("河道采砂许可", "河道清淤", "养蜂登记")])
    assert lexical.scores(tokens("采砂")).argmax() == 0
    assert not lexical.scores(tokens("火箭")).any()
    rarity = lexical.rarity(["河道", "采砂", "火箭"])
    assert rarity["河道"] < rarity["采砂"] < rarity["火箭"] == 1


def test_exact_look_up_ignores_width_case_and_punctuation() -> None:
    assert bare(" Ｃ１驾照，补领！") == "c1驾照补领"
    assert key("Ｃ１驾照") == key("c1驾照?")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shenfenzheng", ["shen", "fen", "zheng"]),
        ("Hukou Ben diu le", ["hu", "kou", "ben", "diu", "le"]),
        ("hukou本", []),
        ("hello world", []),
        ("C1", []),
    ],
)
def test_pinyin_is_cut_into_syllables(text: str, expected: list[str]) -> None:
    assert syllables(text) == expected
