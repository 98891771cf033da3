"""Replies as WeChat takes them: never too long, never cut in a character or an address, nothing lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.conversations.model import Reply
from bot.wechat.inbox import LONGEST_PART
from bot.wechat.model import Answer, together
from channels.wechat.rendering import MOST_PARTS, composed, menu, plain, rendered, size, split

URL = "https://zwfw.example.gov.cn/matters/YS00101020100?from=wechat&x=1"
TEXTS = st.text(st.sampled_from("身份证办理。，；\n、 ab1😀é"), max_size=3000)


@given(TEXTS, st.integers(min_value=40, max_value=400))
def test_split_pieces_fit_and_lose_nothing(text: str, longest: int) -> None:
    pieces = list(split(text, longest))
    assert all(0 < size(piece) <= longest for piece in pieces)
    assert "".join("".join(piece.split()) for piece in pieces) == "".join(text.split())


@given(st.integers(min_value=0, max_value=300), st.integers(min_value=100, max_value=400))
def test_an_address_is_never_cut(before: int, longest: int) -> None:
    pieces = list(split(f"{'办' * before}{URL}{'完' * 200}", longest))
    assert sum(URL in piece for piece in pieces) == 1


def test_a_text_is_cut_at_sentences_and_lists() -> None:
    text = "\n".join(f"{n}. 第{n}份材料，原件一份，复印件两份。" for n in range(1, 60))
    for piece in split(text, 500):
        assert piece.endswith("。")


@given(TEXTS, st.lists(st.text(min_size=1, max_size=30), max_size=6))
def test_whatever_is_said_fits(text: str, titles: list[str]) -> None:
    answer = composed(text, "请选：", titles)
    assert len(answer.parts) <= MOST_PARTS
    assert all(size(part) <= LONGEST_PART for part in answer.parts)


def reply(text: str, titles: tuple[str, ...] = (), matter: str | None = None) -> Reply:
    choices = [{"kind": "choices", "text": "还想知道什么？", "choices": [{"title": t, "payload": t} for t in titles]}]
    return Reply("answered", ({"kind": "text", "text": text}, *(choices if titles else ())), matter=matter)


def test_choices_are_numbered_at_the_end() -> None:
    answer = rendered(reply("答案。", ("多少钱", "去哪办")), None)
    assert answer.parts == ("答案。\n\n还想知道什么？\n1. 多少钱\n2. 去哪办",)


def test_a_long_answer_is_linked_to_its_page_and_keeps_its_choices() -> None:
    answer = rendered(reply("办理材料说明。" * 400, ("多少钱",), "YS 1/2"), "https://x.gov.cn/")
    assert len(answer.parts) == 1
    assert size(answer.parts[0]) <= LONGEST_PART
    assert "全文：https://x.gov.cn/matters/YS%201%2F2" in answer.parts[0]
    assert answer.parts[0].endswith("1. 多少钱")


def test_without_a_page_it_goes_on_in_parts_and_says_when_it_is_cut() -> None:
    assert 2 <= len(rendered(reply("办理材料说明。" * 200, ("多少钱",)), None).parts) <= MOST_PARTS
    endless = rendered(reply("办理材料说明。" * 2000), None)
    assert len(endless.parts) == MOST_PARTS
    assert "没有显示完" in endless.parts[-1]


def test_a_menu_is_made_where_all_of_it_fits_one() -> None:
    made = menu(rendered(reply("答案。", ("多少钱", "去哪办")), None))
    assert made is not None
    assert made["head_content"] == "答案。\n\n还想知道什么？"
    assert [item["content"] for item in made["list"]] == ["多少钱", "去哪办"]
    assert menu(rendered(reply("答案。"), None)) is None
    assert menu(rendered(reply("答案。", ("很长" * 20,)), None)) is None
    assert menu(Answer(("一", "二"), "", ("甲",))) is None


def test_nothing_said_becomes_a_link() -> None:
    assert plain('<a href="https://evil">点我</a> 3<5') == '＜a href="https://evil">点我＜/a> 3<5'


@given(st.lists(st.text(min_size=1, max_size=300), max_size=8))
def test_answers_told_together_lose_nothing(texts: list[str]) -> None:
    joined = together(texts, LONGEST_PART)
    assert "\n\n".join(joined) == "\n\n".join(texts)
    assert all(size(part) <= LONGEST_PART for part in joined)
