"""A small catalogue of invented matters and the encoder that ships."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from index.builder import build_index
from index.documents import Document, document
from index.encoder import Encoder, open_encoder
from index.searcher import Searcher

GUIDES = [
    {
        "code": "T01",
        "catalog_code": "F1",
        "name": "养蜂场登记",
        "department": "甲局",
        "aliases": ["登记蜂场", "养蜜蜂备案"],
        "conditions": "饲养蜜蜂十群以上。",
        "faq": [{"q": "转地放蜂要不要重新登记", "a": "要。"}],
        "materials": [{"name": "蜂群照片"}],
    },
    {
        "code": "T02",
        "catalog_code": "F1",
        "name": "养蜂场登记证补发",
        "department": "甲局",
        "aliases": ["蜂场证丢了补一个"],
    },
    {"code": "T03", "catalog_code": "F2", "name": "河道采砂许可", "department": "乙局", "aliases": ["河里挖沙的证"]},
    {
        "code": "T04",
        "catalog_code": "F3",
        "name": "烟花燃放临时许可",
        "department": "丙局",
        "valid_from": "2026-01-01",
        "valid_to": "2026-06-30",
    },
    {"code": "T05", "catalog_code": "F4", "name": "社区食堂开办补助", "department": "丁局", "aliases": ["登记蜂场"]},
]


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The shipped encoder."""
    return open_encoder(threads=1)


@pytest.fixture(scope="session")
def documents() -> list[Document]:
    """Documents of the invented matters."""
    return [document(guide) for guide in GUIDES]


@pytest.fixture(scope="session")
def searcher(encoder: Encoder, documents: list[Document], tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    """A searcher over them."""
    folder: Path = tmp_path_factory.mktemp("index") / "one"
    build_index(documents, folder, encoder, cache=folder.parent / "cache.db")
    return Searcher.open(folder, encoder)


@pytest.fixture
def today() -> date:
    """A day on which the fireworks permit is no longer valid."""
    return date(2026, 11, 20)
