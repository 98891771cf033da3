"""The bridge from complaints to powers: what it says, and what goes on without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from index.bridge import Bridge
from index.encoder import OpenVinoEncoder, Vectors
from index.errors import EncoderUnavailable
from index.powers import LEARNT, PER_POWER, PowerDocument, PowerIndex
from tests.bot.hashing_encoder import HashingEncoder

POWERS = (
    PowerDocument("A1", "燃气设施安全检查", "甲市燃气公司", ("煤气味", "漏气")),
    PowerDocument("A2", "燃气表具更换", "甲市燃气公司", ("气表", "换表")),
    PowerDocument("B1", "对占道经营的处罚", "甲市城市管理局", ("摆摊", "烧烤摊")),
    PowerDocument("C1", "对拖欠工资的监察", "甲市人力资源和社会保障局", ("欠薪", "工资")),
)
OBLIQUE = "楼道里有股臭鸡蛋的味道，头都晕了"


def _arrays(reports: list[list[float]], of: list[int], powers: list[list[float]]) -> dict[str, np.ndarray]:
    nothing = np.zeros((len(powers[0]), 1), np.float32), np.zeros((1, len(powers[0])), np.float32)
    return dict(zip(("ask_in", "ask_out", "tell_in", "tell_out"), nothing * 2, strict=True)) | {
        "reports": np.array(reports, np.float32),
        "of": np.array(of),
        "powers": np.array(powers, np.float32),
    }


def test_the_powers_of_what_it_resembles_are_recalled() -> None:
    bridge = Bridge(_arrays([[1, 0, 0], [0.9, 0.1, 0], [0, 0, 1]], [0, 0, 1], [[0, 1, 0], [0, 0, 1]]))
    recalled = bridge.recalled(np.array([1, 0, 0], np.float32))
    assert recalled @ np.array([0, 1, 0]) > 0.99
    assert np.linalg.norm(recalled) == pytest.approx(1, abs=1e-5)


def test_what_is_turned_keeps_its_length() -> None:
    arrays = _arrays([[1, 0, 0]], [0], [[0, 1, 0]])
    arrays["ask_in"], arrays["ask_out"] = np.ones((3, 1), np.float32), np.array([[0, 2, 0]], np.float32)
    turned = Bridge(arrays).asked(np.array([1, 0, 0], np.float32))
    assert np.linalg.norm(turned) == pytest.approx(1, abs=1e-5)
    assert turned[1] > turned[0]


def _asked(encoder: OpenVinoEncoder) -> Vectors:
    return encoder.encode_queries([OBLIQUE])[0]


def test_without_a_bridge_meaning_stands_for_what_it_would_say(tmp_path: Path, encoder: OpenVinoEncoder) -> None:
    evidence = PowerIndex.build(POWERS, encoder, tmp_path / "cache").evidence(OBLIQUE, _asked(encoder))
    learnt = evidence.features[:, -LEARNT:]
    np.testing.assert_array_equal(learnt[:, 0], evidence.features[:, PER_POWER.index("best")])
    assert not learnt[:, 3:].any()


def test_the_shipped_bridge_leads_from_what_is_smelt_to_who_answers_for_it(
    tmp_path: Path, encoder: OpenVinoEncoder
) -> None:
    bridge = Bridge.beside(encoder)
    assert bridge is not None
    index = PowerIndex.build(POWERS, encoder, tmp_path / "cache", bridge)
    evidence = index.evidence(OBLIQUE, _asked(encoder))
    for name in ("turned", "recalled"):
        best = evidence.powers[evidence.features[:, PER_POWER.index(name)].argmax()]
        assert index.powers[best].department == "甲市燃气公司"


def test_another_encoder_has_no_bridge() -> None:
    assert Bridge.beside(HashingEncoder()) is None


def test_a_damaged_file_is_said(tmp_path: Path, encoder: OpenVinoEncoder) -> None:
    (tmp_path / "bridge.npz").write_bytes(b"no bridge")
    with pytest.raises(EncoderUnavailable, match=r"bridge\.npz"):
        Bridge.beside(encoder, tmp_path / "bridge.npz")
