"""Text as words: what is found, what is marked, and what is no question at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.errors import InvalidInputError
from services.search.model.words import AFTER, BEFORE, cut, highlights, phrases, spans

TEXTS = st.text(st.sampled_from("过期牛奶２３ab，（ \n𠮷①❶"), max_size=30)


def test_width_case_and_punctuation_do_not_count() -> None:
    assert cut("（２０２５）粤０７０３民初1234号") == cut("(2025)粤0703民初1234号") == (
        "2025", "粤", "0703", "民", "初", "1234", "号")  # fmt: skip
    assert cut("ＡＢＣ公司，\n第①条 𠮷野") == ("abc", "公", "司", "第", "1", "条", "𠮷", "野")


@pytest.mark.parametrize(("written", "asked"), [
    ("粤A·12345号小型轿车", "粤A12345"), ("粤Ａ１２３４５", "粤a 12345"), ("粤A12345", "12345"),
    ("二○二五年三月", "二〇二五年"), ("二〇二五年三月", "二◯二五年三月"), ("张○○与李四", "张〇〇"),
    ("第❶项：①款", "第1项1款"), ("ＨＴ２０２５－００１号", "ht2025-001"), ("原告：张三、李四", "张三，李四"),
    ("❶2024年", "2024年"), ("①２０２４年", "2024"), ("❶2024年", "“1 2024年”"), ("2024年第35①条", "第35"),
    ("〔2025〕粤０７０３民初1234号之一", "（2025）粤0703民初1234号"), ("欧阳·买买提", "欧阳买买提"),
])  # fmt: skip
def test_other_ways_to_write_the_same_are_found_and_marked(written: str, asked: str) -> None:
    for phrase in phrases(asked):
        assert phrase in _rows(written, len(phrase))
    assert spans(written, phrases(asked))


@pytest.mark.parametrize(("written", "asked"), [
    ("❶2024年", "12024年"), ("第35①条", "351"), ("㏠2024", "12024"),
    ("粤A123456", "粤A12345"), ("张○某", "张某"), ("第12项", "第1项"), ("abc公司", "ab公司"),
    ("（2025）粤0703民初12345号", "（2025）粤0703民初1234号"), ("（2025）粤0703民初1234号", "粤0703民初123"),
])  # fmt: skip
def test_what_only_looks_alike_is_not_found(written: str, asked: str) -> None:
    (phrase,) = phrases(asked)
    assert phrase not in _rows(written, len(phrase))
    assert spans(written, [phrase]) == []


def test_words_are_joined_and_quotes_keep_together() -> None:
    assert phrases("过期 牛奶") == (("过", "期"), ("牛", "奶"))
    assert phrases("“过期 牛奶” 奶") == (("过", "期", "牛", "奶"), ("奶",))
    assert phrases('牛奶 "牛奶"') == (("牛", "奶"),)


@pytest.mark.parametrize(("text", "said"), [
    ('"牛奶', "引号没有成对"), ("牛奶”", "引号没有成对"), ("", "请输入"), ("，。！", "请输入"), ('""', "请输入"),
    ("牛" * 201, "过长"), (" ".join(map(str, range(21))), "过多"),
])  # fmt: skip
def test_what_is_no_question_is_told(text: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said) as refused:
        phrases(text)
    assert refused.value.fields[0]["pointer"] == "query:text"


def test_hits_are_marked_in_the_text_as_written() -> None:
    assert highlights("销售ＡＢＣ牌过期\n牛奶，过期牛奶十二箱", phrases("abc 过期牛奶")) == [
        f"销售{BEFORE}ＡＢＣ{AFTER}牌{BEFORE}过期 牛奶{AFTER}，{BEFORE}过期牛奶{AFTER}十二箱"]  # fmt: skip
    long = "甲" * 500 + "过期" + "乙" * 500 + "过期" + "丙" * 500
    assert [len(piece) for piece in highlights(long, phrases("过期"))] == [70, 70]
    assert highlights(f"真{BEFORE}假{AFTER}过期", phrases("过期")) == [f"真假{BEFORE}过期{AFTER}"]


@given(TEXTS, st.integers(0, 29), st.integers(1, 6))
def test_every_row_of_words_of_a_text_is_found_where_it_stands(text: str, start: int, length: int) -> None:
    row = cut(text)[start : start + length]
    if row:
        found = spans(text, [row])
        assert any(cut(text[begin:end])[: len(row)] == row or row in _rows(text[begin:end], len(row))
                   for begin, end in found)  # fmt: skip


@given(TEXTS, st.lists(st.sampled_from(["过", "期", "牛", "23", "a", "ab", "b"]), min_size=1, max_size=3))
def test_what_is_marked_is_what_the_index_finds(text: str, row: list[str]) -> None:
    assert bool(spans(text, [tuple(row)])) == (tuple(row) in _rows(text, len(row)))


def test_overlapping_hits_and_endless_runs_are_marked_whole() -> None:
    assert spans("啊啊啊，啊", phrases("啊啊")) == [(0, 5)]
    assert spans("ab abc ab12 x_ab", phrases("ab")) == [(0, 2), (7, 9), (14, 16)]
    run = "7" * 64 + "8" * 64 + "9"
    assert cut(run) == ("7" * 64, "8" * 64, "9")
    assert spans(f"第{run}号", [("8" * 64, "9", "号")]) == [(65, 131)]
    assert spans(f"①款{run}㎏", [("9", "kg")]) == [(130, 132)]
    assert spans(run, [("8",)]) == spans(f"①款{run}", [("7" * 64, "8")]) == []


def _rows(text: str, length: int) -> set[tuple[str, ...]]:
    row = cut(text)
    return {row[at : at + length] for at in range(len(row))}


@pytest.mark.parametrize(("text", "asked", "marked"), [
    ("见（2025）粤0703民初1号判决", "（2025）粤0703民初1号", "（2025）粤0703民初1号"),
    ("某市监罚〔2025〕1号", "2025 1号", "2025|1号"),
    ("某市监罚〔2025〕1号", '"2025 1号"', "〔2025〕1号"),
    ("依照《行政处罚法》第五十六条", "行政处罚法第五十六条", "《行政处罚法》第五十六条"),
    ("依照《行政处罚法》第五十六条", "行政处罚法", "行政处罚法"),
    ("张三（曾用名张山）到庭", "张三曾用名张山", "张三（曾用名张山）"),
    ("甲）乙（丙", "甲乙丙", "甲）乙（丙"),
])  # fmt: skip
def test_a_mark_splits_no_pair_of_brackets(text: str, asked: str, marked: str) -> None:
    (told,) = highlights(text, phrases(asked))
    assert "|".join(part.split(AFTER)[0] for part in told.split(BEFORE)[1:]) == marked
    assert told.replace(BEFORE, "").replace(AFTER, "") == text
