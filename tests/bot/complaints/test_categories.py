"""Which category of the published list a complaint belongs to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.complaints.categories import CATEGORIES, Categories
from bot.rule_file import RuleFile
from index.dispatching import Dispatching
from index.encoder import Encoder

LISTED = [
    {"name": "噪声扰民", "children": [{"name": "施工噪声"}, {"name": "广场舞与公共场所噪声"}]},
    {"name": "市容市政", "children": [{"name": "路灯照明", "examples": ["路灯不亮"]}, {"name": "道路破损与井盖"}]},
    {"name": "交通出行", "children": [{"name": "违法停车"}, {"name": "公交服务"}]},
]


@pytest.fixture(scope="module")
def dispatching(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Dispatching:
    return Dispatching.beside(encoder, tmp_path_factory.mktemp("categories") / "vectors.cache")


def _published(folder: Path, listed: object, dispatching: Dispatching) -> Categories:
    (folder / CATEGORIES.file).write_text(json.dumps(listed), "utf-8")
    return Categories(RuleFile(folder, CATEGORIES), dispatching)


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("楼下大妈天天晚上放音响跳到十点，孩子没法写作业", "噪声扰民/广场舞与公共场所噪声"),
        ("隔壁工地打桩打到凌晨", "噪声扰民/施工噪声"),
        ("巷子里黑漆漆的，灯坏了半个月了", "市容市政/路灯照明"),
        ("门口的井盖没了，差点掉下去", "市容市政/道路破损与井盖"),
        ("人行道上天天停满了小车，走都走不过去", "交通出行/违法停车"),
        ("等了四十分钟一趟车都不来", "交通出行/公交服务"),
    ],
)
def test_a_category_is_found_by_its_name(text: str, category: str, tmp_path: Path, dispatching: Dispatching) -> None:
    assert _published(tmp_path, LISTED, dispatching).nearest(dispatching.hear(text)) == category


def test_what_an_example_says_word_for_word_belongs_there(tmp_path: Path, dispatching: Dispatching) -> None:
    text = "小区门口那盏灯老是一闪一闪的，晃得人睡不着觉"
    listed = [*LISTED, {"name": "其他", "children": [{"name": "光污染", "examples": [text]}]}]
    assert _published(tmp_path, listed, dispatching).nearest(dispatching.hear(f" {text}！")) == "其他/光污染"


def test_another_list_counts_as_soon_as_it_is_published(tmp_path: Path, dispatching: Dispatching) -> None:
    categories = _published(tmp_path, LISTED, dispatching)
    heard = dispatching.hear("巷子里黑漆漆的，灯坏了半个月了")
    assert categories.nearest(heard) == "市容市政/路灯照明"
    renamed = [{"name": "城市照明", "children": [{"name": "路灯"}]}, *LISTED[:1]]
    RuleFile(tmp_path, CATEGORIES).write(json.dumps(renamed))
    assert categories.nearest(heard) == "城市照明/路灯"
