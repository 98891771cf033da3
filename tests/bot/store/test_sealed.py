"""Sealing: what is written comes back, nothing else opens, keys rotate, indexes and signatures hold."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ConfigurationError
from bot.settings import load_settings
from bot.store.sealed import KEY_FILE, Sealer, load_sealer

OLD, NEW = bytes(32), bytes([1]) * 32


@given(st.text(), st.text())
def test_what_is_sealed_opens_in_its_place_only(text: str, context: str) -> None:
    sealer = Sealer(NEW)
    sealed = sealer.seal(text, context)
    assert sealer.open(sealed, context) == text
    assert sealed != sealer.seal(text, context)
    with pytest.raises(ConfigurationError) as raised:
        sealer.open(sealed, context + "x")
    assert raised.value.code == "sealed_unreadable"


@given(st.integers(0, 60))
def test_a_changed_byte_does_not_open(place: int) -> None:
    sealed = bytearray(Sealer(NEW).seal("云山市的王小明，电话 13900001234", "row 1"))
    sealed[place] ^= 1
    with pytest.raises(ConfigurationError):
        Sealer(NEW).open(bytes(sealed), "row 1")


def test_after_a_change_of_the_key_the_previous_one_still_opens_finds_and_checks() -> None:
    before, after = Sealer(OLD), Sealer(NEW, [OLD])
    sealed = before.seal("旧", "row")
    assert after.open(sealed, "row") == "旧"
    assert not after.is_current(sealed)
    assert after.is_current(after.seal("新", "row"))
    assert before.index("code", "1") in after.indexes("code", "1")
    assert after.index("code", "1") == after.indexes("code", "1")[0] != before.index("code", "1")
    assert after.signed_text("judge", before.signed("judge", "a1")) == "a1"
    with pytest.raises(ConfigurationError):
        Sealer(NEW).open(sealed, "row")


def test_indexes_depend_on_purpose_and_on_where_the_parts_end() -> None:
    index = Sealer(NEW).index
    assert len({index("a", "b", "c"), index("a", "bc"), index("ab", "c"), index("b", "a", "c")}) == 4


@given(st.text(max_size=60))
def test_a_token_that_was_not_made_here_says_nothing(token: str) -> None:
    assert Sealer(NEW).signed_text("judge", token) is None


def test_a_token_counts_for_its_purpose_alone() -> None:
    token = Sealer(NEW).signed("judge", "a1")
    assert Sealer(NEW).signed_text("judge", token) == "a1"
    assert Sealer(NEW).signed_text("unlink", token) is None
    assert len(token) < 24


def test_in_development_one_key_is_made_that_only_the_owner_reads(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path / "home")
    with ThreadPoolExecutor(8) as pool:
        sealers = list(pool.map(lambda _: load_sealer(settings), range(16)))
    assert len({sealer.index("a", "b") for sealer in sealers}) == 1
    assert stat.S_IMODE((tmp_path / "home" / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "home").iterdir()] == [KEY_FILE]


@pytest.mark.parametrize("key", ["00" * 32, "A" * 43 + "=", "A" * 43, "//" + "A" * 41])
def test_a_key_may_be_hex_or_base64(key: str) -> None:
    assert load_sealer(load_settings(data_key=key)).seal("a", "b")


@pytest.mark.parametrize(("setting", "name"), [("data_key", "WENBAN_DATA_KEY "), ("data_key_previous", "_PREVIOUS")])
def test_a_key_that_is_none_is_refused_by_name(setting: str, name: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as raised:
        load_sealer(load_settings(**{"data_key": "00" * 32, setting: "geheim"}))
    assert "geheim" not in raised.value.message
    assert raised.value.remedy
