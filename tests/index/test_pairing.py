"""What is seen in two complaints, and the shipped weights on pairs and look-alikes written for this test."""

from __future__ import annotations

import numpy as np
import pytest

from index.encoder import Encoder
from index.incident import Incidents
from index.pairing import FEATURES, Corpus, PairModel, features, incidents, report

NOTHING = np.ones(4, np.float32) / 2
CORPUS = Corpus({}, 5.0, np.zeros(4, np.float32), np.eye(4, dtype=np.float32))


def seen(one: str, other: str, *, places: tuple[str | None, str | None] = (None, None)) -> dict[str, float]:
    made = features(report(one, places[0], NOTHING), report(other, places[1], NOTHING), CORPUS)
    return dict(zip(FEATURES, made.tolist(), strict=True))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("和平里4栋电梯坏了", "和平里四幢电梯停了"),
        ("和平里12号楼电梯坏了", "和平里十二栋电梯停了"),
        ("在一百二十八号", "在128号"),
        ("住二十三层", "住23楼"),
        ("四栋502", "4栋五零二室"),
    ],
)
def test_a_number_is_the_same_however_it_is_written(one: str, other: str) -> None:
    got = seen(one, other)
    assert got["same_numbers"] >= 1
    assert got["other_numbers"] == 0


def test_another_house_gate_or_day_counts_against() -> None:
    assert seen("和平里3栋漏水", "和平里7栋漏水")["other_numbers"] == 1
    assert seen("市场南门堵了", "市场北门堵了")["other_side"] == 1
    assert seen("市场南门堵了", "南门外头堵得厉害")["same_side"] == 1
    assert seen("昨天停水", "去年停水")["other_time"] == 1
    assert seen("早上八点停水", "8点停水")["other_time"] == 0


def test_what_happened_is_compared_apart_from_where() -> None:
    alike = seen("柳林路路灯不亮", "路灯不亮", places=("柳林路", "长安街"))
    assert alike["shared_happening"] == pytest.approx(1)
    assert alike["shared_whereabouts"] < 0.5
    assert seen("柳林路有狗", "柳林路断电", places=("柳林路", "柳林路"))["shared_whereabouts"] == 1


def test_words_that_set_a_text_apart_from_the_other_are_seen() -> None:
    told = seen("三栋电梯抖，跟七栋停掉那部不是一回事", "七栋电梯停掉三天了")
    assert told["set_apart"] == 1
    assert told["set_apart_from_it"] > seen("三栋电梯抖，跟水管的事无关", "七栋电梯停掉三天了")["set_apart_from_it"]


def test_vectors_of_another_encoder_are_compared_as_they_are() -> None:
    assert CORPUS.evened(np.ones(2, np.float32), np.ones(2, np.float32)) == 2


def test_incidents_are_tied_through_others() -> None:
    assert incidents([None, 0, None, 1, 2]) == [0, 0, 2, 0, 2]


FIRST = "银杏湾5栋楼下的化粪池溢出来了，三天没人管"


@pytest.mark.parametrize("reads", [True, False])
def test_the_shipped_models_tell_a_pair_from_look_alikes(encoder: Encoder, reads: bool) -> None:
    models = Incidents.beside(encoder) if reads else Incidents(PairModel.load(), None)

    def same(text: str) -> bool:
        others = [FIRST, "工资拖了四个月没发，老板说没钱"]
        *vectors, own = encoder.encode_queries([*others, text])
        chosen = models.same(
            report(text, "银杏湾", own),
            np.stack(vectors),
            lambda place: report(others[place], "银杏湾", vectors[place]),
        )
        assert chosen in (0, None)
        return chosen == 0

    assert same("银杏湾五幢楼下化粪池往外冒，臭得开不了窗，都三天了")
    assert same("银杏湾5栋楼下化粪池溢出来了，没人管")
    assert not same("银杏湾5栋有人在楼道里给电动车充电")
    assert not same("银杏湾9栋顶楼漏雨，跟5栋化粪池的事没关系")


def test_nothing_before_is_no_incident(encoder: Encoder) -> None:
    own = report(FIRST, None, encoder.encode_queries([FIRST])[0])
    assert Incidents.beside(encoder).same(own, np.empty((0, encoder.dimension), np.float32), lambda _: own) is None
