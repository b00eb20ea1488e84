"""Rows -> what identity imports; references by code become ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from anjuan.identity.v1 import identity_pb2 as pb
from services.ops.people.reading import Reading, Row

TIERS = {
    "court": ("supreme", "high", "intermediate", "basic"), "bureau": ("ministry", "province", "city", "county"),
}  # fmt: skip
KIND_OF = {tier: kind for kind, tiers in TIERS.items() for tier in tiers}
CERTIFICATE = "law_enforcement_certificate"
SEPARATORS = re.compile(r"[;；、,，\s]+")


def body_id(site: str, kind: str, code: str) -> str:
    """The id of a body: the same for the same site, kind and code, for ever."""
    return str(uuid5(NAMESPACE_URL, f"anjuan:{site}:{kind}:{code}"))


def department_id(body: str, kind: str) -> str:
    """The id of a department: one of each kind in a body."""
    return str(uuid5(NAMESPACE_URL, f"anjuan:department:{body}:{kind}"))


@dataclass(frozen=True)
class Roster:
    """`ask` finds the id of a body that is on the platform by code or id, None when there is none."""

    reading: Reading
    site: str
    ask: Callable[[str], str | None]

    @cached_property
    def _codes(self) -> dict[str, set[str]]:
        """Ids in the files by code; a court and a bureau may share one."""
        found: dict[str, set[str]] = {}
        for row in self.reading.of("bodies"):
            kind = KIND_OF.get(row.text("tier"), "")
            for name in (row.text("code"), f"{kind}:{row.text('code')}"):
                found.setdefault(name, set()).add(self._own_id(row, kind))
        return found

    def _own_id(self, row: Row, kind: str) -> str:
        return row.text("body_id") or body_id(self.site, kind, row.text("code"))

    def _body(self, row: Row, reference: str) -> str:
        """The id behind `粤0703` or, where that is not clear, `court:粤0703`."""
        found = self._codes.get(reference, set())
        if len(found) > 1:
            both = f"court:{reference} 或 bureau:{reference}"
            self.reading.complain(row, f"法院和其他机关都有代字“{reference}”，请写作 {both}")
            return ""
        kind, _, code = reference.rpartition(":")
        computed = body_id(self.site, kind, code) if kind in TIERS else reference
        known = next(iter(found), None) or self.ask(computed)
        if known is None:
            self.reading.complain(row, f"找不到机关：{reference}")
        return known or ""

    def bodies(self) -> list[tuple[Row, pb.Body]]:
        """Upper tiers first."""
        made = [(row, self._made(row)) for row in self.reading.of("bodies") if self._is_placed(row)]
        return sorted(made, key=lambda pair: TIERS[pair[1].kind].index(pair[1].tier))

    def _is_placed(self, row: Row) -> bool:
        if row.text("tier") in KIND_OF:
            return True
        self.reading.complain(row, f"层级应为 {'、'.join(KIND_OF)} 之一")
        return False

    def _made(self, row: Row) -> pb.Body:
        kind, parent = KIND_OF[row.text("tier")], row.text("parent_code")
        return pb.Body(
            body_id=self._own_id(row, kind), parent_id=self._body(row, f"{kind}:{parent}") if parent else "", kind=kind,
            name=row.text("name"), tier=row.text("tier"), code=row.text("code"), region=row.text("region"),
            legal_on=row.text("legal_on"),
        )  # fmt: skip

    def departments(self) -> list[tuple[Row, pb.Department]]:
        """In the order of the files."""
        return [(row, self._department(row)) for row in self.reading.of("departments")]

    def _department(self, row: Row) -> pb.Department:
        body, kind = self._body(row, row.text("body")), row.text("kind")
        return pb.Department(department_id=department_id(body, kind), body_id=body, kind=kind, name=row.text("name"))

    def people(self) -> list[tuple[Row, pb.Person, str]]:
        """With their first passwords."""
        return [(row, self._person(row), row.text("password")) for row in self.reading.of("people")]

    def _person(self, row: Row) -> pb.Person:
        return pb.Person(
            person_id=row.text("person_id"), sign_in=row.text("sign_in"), name=row.text("name"),
            body_id=self._body(row, row.text("body")), state=row.text("state"),
            appointments=list(self._appointments(row)), qualifications=list(self._qualifications(row)),
        )  # fmt: skip

    def _parts(self, row: Row, name: str) -> Iterator[dict[str, Any]]:
        listed = row.values.get(name) or []
        if not isinstance(listed, list) or not all(isinstance(part, dict) for part in listed):
            self.reading.complain(row, f"{name} 应为列表，每项为若干“栏目: 内容”")
            return
        yield from listed

    def _appointments(self, row: Row) -> Iterator[pb.Appointment]:
        roles = row.values.get("roles") or ""
        names = roles if isinstance(roles, list) else SEPARATORS.split(str(roles).strip())
        own = [{"role": name, "body": row.text("body"), "department": row.text("department")} for name in names if name]
        for part in [*own, *self._parts(row, "appointments")]:
            told = Row(row.file, row.line, row.kind, part)
            body, department = self._body(row, told.text("body") or row.text("body")), told.text("department")
            yield pb.Appointment(body_id=body, role=told.text("role"),
                                 department_id=department_id(body, department) if department else "")  # fmt: skip

    def _qualifications(self, row: Row) -> Iterator[pb.Qualification]:
        own = {"kind": CERTIFICATE, "number": row.text("certificate"), "from": row.text("certificate_from"),
               "to": row.text("certificate_to")}  # fmt: skip
        for part in [*([own] if own["number"] else []), *self._parts(row, "qualifications")]:
            told = Row(row.file, row.line, row.kind, part)
            yield pb.Qualification(kind=told.text("kind") or CERTIFICATE, number=told.text("number"),
                                   valid_from=told.text("from"), valid_to=told.text("to"))  # fmt: skip
