"""Volumes of a pack with their catalogue items, in order."""

from __future__ import annotations

from dataclasses import dataclass

from services.kit.errors import InvalidInputError
from services.kit.procedure.model import Pack, VolumeItem, VolumeRule

KINDS = {"main": "正卷", "internal": "副卷"}


@dataclass(frozen=True)
class Item:
    """One line of a volume's catalogue; `rule` is what the pack puts there, None when only a clerk does."""

    volume: str
    is_internal: bool
    seq: int
    name: str
    rule: VolumeItem | None

    @property
    def label(self) -> str:
        """As people read it."""
        return f"{KINDS['internal' if self.is_internal else 'main']} {self.seq} {self.name}"


def kind_of(volume: str, is_internal: bool) -> str:
    """main or internal; empty for what is not catalogued yet."""
    return ("internal" if is_internal else "main") if volume else ""


def rule_of(pack: Pack, volume: str) -> VolumeRule:
    """The pack's rule of a volume.

    Raises:
        InvalidInputError: the pack has no such volume.
    """
    for rule in pack.volumes:
        if rule.id == volume:
            return rule
    known = "、".join(f"{r.id}（{KINDS[r.kind]}）" for r in pack.volumes)
    wrong = [{"pointer": "/volume", "detail": "没有这一卷"}]
    raise InvalidInputError(f"本程序没有卷“{volume}”，可用的卷：{known}", wrong)


def items(pack: Pack, volume: str) -> list[Item]:
    """Every line of one volume's catalogue, in order."""
    rule = rule_of(pack, volume)
    takes = {taken.seq: taken for taken in rule.takes}
    lines = pack.catalogues[rule.catalogue]["items"]
    return [
        Item(volume, rule.kind == "internal", int(line["seq"]), str(line["name"]), takes.get(int(line["seq"])))
        for line in lines
    ]  # fmt: skip


def item(pack: Pack, volume: str, seq: int) -> Item:
    """One line.

    Raises:
        InvalidInputError: no such volume or line.
    """
    for found in items(pack, volume):
        if found.seq == seq:
            return found
    raise InvalidInputError(f"该卷目录没有第 {seq} 项", [{"pointer": "/seq", "detail": "没有这一目录项"}])
