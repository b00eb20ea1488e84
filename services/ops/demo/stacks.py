"""What is scanned for a played case: paper that fits its body, and the panel's record from what the example says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.ops.demo.player import Play

WIDTH = 34  # characters of a line, so that a page keeps its margin


@dataclass(frozen=True)
class Stack:
    """Written sides: title -> lines. `phrase`: words of one line, to be searched. `material`: of the pack's checklist,
    whose line of the main volume takes the sides; else the line for the rest."""

    sides: Mapping[str, Sequence[str]]
    phrase: str
    material: str = ""


_VISIT = ("调查人员于当日到场，当事人的负责人在场配合。", "现场提取进货台账一册、销售小票三十二张、合格证明两份，",
          "由见证人签名确认，原件随卷保存。")  # fmt: skip
BUREAU = Stack(dict.fromkeys(("现场笔录", "证据提取清单", "谈话笔录"), _VISIT * 4), "进货台账一册")
COURT = Stack({
    "送货单": ("收货单位：广东恒泰建筑工程有限公司", "货物名称：热轧带肋螺纹钢，分三车运抵工地，过磅相符。",
               "收货人核对数量、规格无误后签名，一式三联。") * 4,
    "对账单": ("供货方：江门华兴建材有限公司　购货方：广东恒泰建筑工程有限公司",
               "双方核对往来账目，购货方确认尚欠货款八十六万元整。", "周建国自愿承担连带责任保证，签名并捺印。") * 4,
    "催款函": ("贵公司至今未付清上述货款，本公司已多次催要。", "请于收到本函之日起十日内付清，逾期将提起诉讼。",
               "附：对账单复印件一份。") * 4,
}, "尚欠货款八十六万元", "evidence")  # fmt: skip
STACKS = {"court": COURT, "bureau": BUREAU}
RECORD = "合议庭评议笔录"
DELIBERATION = "deliberation"


def deliberated(play: Play) -> Mapping[str, Any] | None:
    """The act by which the panel has deliberated, if it has."""
    acts = play.cast.example["acts"]
    return next((a for a in acts if a.get("node") == DELIBERATION and not a.get("refused")), None)


def record(play: Play, act: Mapping[str, Any]) -> list[str]:
    """The lines of the panel's record, signed by everybody who was there."""
    people, form = play.cast.example["people"], act["form"]
    names = [str(people[short]["name"]) for short in (act["who"], *act.get("with", []))]
    writer = str(people[play.cast.recorder()]["name"])
    said = [f"时间：{form['held_on']}　地点：本院合议室", f"合议庭成员：{'、'.join(names)}　记录：{writer}",
            f"评议情况：{form['opinions']}。", f"评议结果：{form['conclusion']}。",
            "以上笔录经合议庭成员核对无误，签名：", "　".join([*names, writer])]  # fmt: skip
    return [line[at : at + WIDTH] for line in said for at in range(0, len(line), WIDTH)]
