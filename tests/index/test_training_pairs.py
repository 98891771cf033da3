"""The questions the reranker learns from where matters only have names."""

from __future__ import annotations

from index.encoder import Encoder
from index.training.common import City
from index.training.pairs import mine_names

GUIDES = [
    {"code": "c1", "name": "护照遗失补发", "aliases": ["补护照"]},
    {"code": "c2", "name": "犬类养殖登记", "aliases": []},
    {"code": "c3", "name": "护照到期换发", "aliases": ["护照换新", "换护照"]},
]


def test_the_nearest_names_are_what_a_saying_is_told_apart_from(encoder: Encoder) -> None:
    sayings = [{"text": "护照弄丢了想补一本", "matter": "c1"}, {"text": "养条大狗要登记不", "matter": "c2"}]
    passport, dog = mine_names(City(GUIDES, sayings, []), encoder)
    assert passport.right == {"c1"}
    assert passport.found == ("c1", "c3", "c2"), "best first, each matter once"
    assert dog.found[0] == "c2"


def test_what_only_sounds_like_a_matter_is_held_against_that_one(encoder: Encoder) -> None:
    missed = [{"text": "护照照片哪里照得好看", "matter": None, "near": ["c1"]}]
    (asked,) = mine_names(City(GUIDES, [], missed), encoder)
    assert not asked.right
    assert asked.found == ("c1",)
    assert asked.often < 1
