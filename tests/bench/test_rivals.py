from typing import Any

from bench.rivals import measure
from index.evaluation.questions import Question

GUIDES: list[dict[str, Any]] = [
    {"code": "1", "name": "居民身份证换领", "aliases": ["换身份证"]},
    {"code": "2", "name": "机动车驾驶证补领", "aliases": ["补驾照"]},
]


def test_bm25_over_words_finds_what_is_named() -> None:
    questions = [
        Question(1, "我要换身份证", frozenset({"1"}), ()),
        Question(2, "要带什么", frozenset({"2"}), (), context=("驾照丢了要补驾照",)),
        Question(3, "火星", frozenset(), ()),
    ]
    found = measure(GUIDES, questions, None)
    assert set(found) == {"bm25_jieba", "our_encoder", "our_index"}
    assert found["bm25_jieba"]["right_first"]["share"] == 1
    assert found["bm25_jieba"]["right_first"]["of"] == 2
