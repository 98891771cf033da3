"""Which unit a complaint goes to: both looks, and the first alone where nothing can be read."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from index.bridge import Bridge
from index.dispatching import READ, READER, Dispatching, DispatchModel, PowerReader, to_read
from index.encoder import OpenVinoEncoder
from index.errors import EncoderUnavailable
from index.powers import PowerDocument, summary
from tests.bot.hashing_encoder import HashingEncoder

POWERS = (
    PowerDocument("A1", "燃气设施安全检查", "甲市燃气公司", ("煤气味", "漏气")),
    PowerDocument("B1", "对占道经营的处罚", "甲市城市管理局", ("摆摊", "烧烤摊")),
    PowerDocument("B2", "井盖更换", "甲市城市管理局", ("井盖",)),
    PowerDocument("C1", "对拖欠工资的监察", "甲市人力资源和社会保障局", ("欠薪", "工资")),
    PowerDocument("D1", "对建筑施工噪声的处罚", "甲市生态环境局"),
    PowerDocument("E1", "对社会生活噪声的处罚", "甲市公安局"),
)


@pytest.fixture(scope="module")
def reader(encoder: OpenVinoEncoder) -> PowerReader:
    found = PowerReader.beside(encoder)
    assert found is not None, "what ships reads the shipped encoder"
    return found


def _dispatching(folder: Path, encoder: OpenVinoEncoder, reader: PowerReader) -> Dispatching:
    return Dispatching(encoder, folder / "cache", DispatchModel.load(), Bridge.beside(encoder), reader)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("老板跑了，我们十几个人的血汗钱三个月没见着", "甲市人力资源和社会保障局"),
        ("楼上天天半夜放音响唱歌，吵得一家老小睡不着", "甲市公安局"),
        ("对面楼盘打桩打到凌晨两点", "甲市生态环境局"),
        ("楼道里有股臭鸡蛋的味道，头都晕了", "甲市燃气公司"),
    ],
)
def test_who_answers_for_it_is_first(
    text: str, unit: str, tmp_path: Path, encoder: OpenVinoEncoder, reader: PowerReader
) -> None:
    dispatching = _dispatching(tmp_path, encoder, reader)
    choices = dispatching.over(POWERS).choices(dispatching.hear(text))
    assert choices[0].department == unit
    assert [c.score for c in choices] == sorted((c.score for c in choices), reverse=True)
    assert sum(c.score for c in choices) <= 1 + 1e-5


def test_the_same_is_read_of_a_power_whatever_stands_beside_it(reader: PowerReader) -> None:
    passages = [summary(power) for power in POWERS]
    states = reader.hear("工地打桩打到凌晨").states
    assert states is not None
    together, again = reader.said(states, passages), reader.said(states, passages[::-1])
    np.testing.assert_allclose(together, again[::-1], atol=0.02)
    assert together.argmax() == 4


def test_without_a_reader_the_first_look_decides_by_a_threshold_of_its_own(
    tmp_path: Path, encoder: OpenVinoEncoder, reader: PowerReader
) -> None:
    dispatching, model = _dispatching(tmp_path, encoder, reader), DispatchModel.load()
    alone, both = dispatching.over(POWERS, read=False), dispatching.over(POWERS)
    assert (alone.threshold, both.threshold) == (model.threshold_unread, model.threshold)
    text = "路边的井盖没了，差点掉下去"
    first, read = (each.choices(dispatching.hear(text))[0] for each in (alone, both))
    assert first.department == read.department == "甲市城市管理局"
    assert first.score != read.score


def test_the_likeliest_are_read_and_what_they_say_counts() -> None:
    scores = np.arange(READ + 4, dtype=np.float32) / 10
    places = to_read(scores)
    assert set(places) == set(range(4, READ + 4))
    model = DispatchModel.load()
    said = np.where(places == 6, 4.0, -4.0).astype(np.float32)
    shares = model.read(scores, places, said)
    assert shares.argmax() == 6
    assert shares.sum() == pytest.approx(1, abs=1e-5)
    assert model.unread(scores).argmax() == READ + 3


def test_another_encoder_is_not_read() -> None:
    assert PowerReader.beside(HashingEncoder()) is None


def test_a_damaged_folder_is_said(tmp_path: Path, encoder: OpenVinoEncoder) -> None:
    shutil.copytree(READER, tmp_path / "reader")
    (tmp_path / "reader" / "openvino_model.bin").unlink()
    with pytest.raises(EncoderUnavailable, match="reader"):
        PowerReader.beside(encoder, tmp_path / "reader")
