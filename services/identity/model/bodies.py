"""Courts and bureaus: a tree of tiers, and their departments."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from services.identity.model.faults import Fault, fault, is_id

TIERS = {
    "court": ("supreme", "high", "intermediate", "basic"),
    "bureau": ("ministry", "province", "city", "county"),
}


@dataclass(frozen=True)
class Body:
    """One court or bureau. `ancestor_ids`: nearest first, the root last."""

    body_id: str
    parent_id: str
    name: str
    kind: str
    tier: str
    code: str
    region: str
    ancestor_ids: tuple[str, ...] = ()
    version: int = 0

    @property
    def root_id(self) -> str:
        """The top of its tree; itself when it has nobody above."""
        return self.ancestor_ids[-1] if self.ancestor_ids else self.body_id

    def says_the_same(self, other: Body) -> bool:
        """Equal but for the version."""
        return replace(self, version=0) == replace(other, version=0)


@dataclass(frozen=True)
class Department:
    """A division of a body; `kind` is what packs name it by (docketing, civil, investigation …)."""

    department_id: str
    body_id: str
    name: str
    kind: str


def body_faults(bodies: Sequence[Body], known: Mapping[str, Body]) -> Iterator[Fault]:
    """Each body alone, and its place in the tree."""
    seen: set[str] = set()
    after = {**known, **{body.body_id: body for body in bodies}}
    for number, body in enumerate(bodies):
        at = f"/bodies/{number}"
        if body.body_id in seen:
            yield fault(f"{at}/body_id", f"同一批中机关编号重复：{body.body_id}")
        seen.add(body.body_id)
        yield from _own_faults(at, body)
        if body.parent_id:
            yield from _parent_faults(f"{at}/parent_id", body, after)
        for child in (c for c in known.values() if c.parent_id == body.body_id and c is after[c.body_id]):
            yield from _parent_faults(f"{at}/tier", child, after)


def _own_faults(at: str, body: Body) -> Iterator[Fault]:
    if not is_id(body.body_id):
        yield fault(f"{at}/body_id", "请填写机关编号（不超过64个字符，不含空格）")
    if not body.name.strip():
        yield fault(f"{at}/name", "请填写机关名称")
    if not body.code.strip():
        yield fault(f"{at}/code", "请填写法院代字或者机关代字")
    if body.kind not in TIERS:
        yield fault(f"{at}/kind", f"机关类别应为 {'、'.join(TIERS)} 之一")
    elif body.tier not in TIERS[body.kind]:
        yield fault(f"{at}/tier", f"层级应为 {'、'.join(TIERS[body.kind])} 之一")


def _parent_faults(at: str, body: Body, after: Mapping[str, Body]) -> Iterator[Fault]:
    parent = after.get(body.parent_id)
    if parent is None:
        yield fault(at, f"上级机关不存在：{body.parent_id}")
    elif parent.kind != body.kind:
        yield fault(at, f"上级机关应为同一类别（{parent.name}、{body.name}）")
    elif _rank(parent) >= _rank(body):
        yield fault(at, f"上级机关的层级应高于下级（{parent.name}、{body.name}）")


def _rank(body: Body) -> int:
    # tiers fall strictly from parent to child, so that a circle cannot arise
    order = TIERS.get(body.kind, ())
    return order.index(body.tier) if body.tier in order else -1


def department_faults(departments: Sequence[Department], bodies: Collection[str]) -> Iterator[Fault]:
    """Each department alone."""
    seen: set[str] = set()
    for number, department in enumerate(departments):
        at = f"/departments/{number}"
        if not is_id(department.department_id) or department.department_id in seen:
            yield fault(f"{at}/department_id", "部门编号缺失或者重复")
        seen.add(department.department_id)
        if department.body_id not in bodies:
            yield fault(f"{at}/body_id", f"机关不存在：{department.body_id}")
        if not department.name.strip() or not department.kind.strip():
            yield fault(f"{at}/name", "请填写部门名称和类别")


def planted(wanted: Sequence[Body], known: Mapping[str, Body]) -> list[Body]:
    """The tree after an import that has no faults: every body that changes, ancestors before descendants."""
    after = dict(known) | {body.body_id: body for body in wanted}
    placed: dict[str, Body] = {}
    for body_id in after:
        _place(body_id, after, placed)
    old = known.keys()
    return [body for body in placed.values() if body.body_id not in old or not body.says_the_same(known[body.body_id])]


def _place(body_id: str, after: Mapping[str, Body], placed: dict[str, Body]) -> Body:
    if body_id not in placed:
        body = after[body_id]
        above: tuple[str, ...] = ()
        if body.parent_id:
            parent = _place(body.parent_id, after, placed)
            above = (parent.body_id, *parent.ancestor_ids)
        placed[body_id] = replace(body, ancestor_ids=above)
    return placed[body_id]
