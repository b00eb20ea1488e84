"""Rows of CSV and YAML files, each with its file and line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

FIELDS = {
    "bodies": {"code", "name", "tier", "parent_code", "region", "body_id", "legal_on",
               "adcode", "verification", "note"},
    "departments": {"body", "kind", "name"},
    "people": {"sign_in", "name", "body", "department", "roles", "appointments", "qualifications", "certificate",
               "certificate_from", "certificate_to", "password", "state", "person_id"},
}  # fmt: skip
REQUIRED = {
    "bodies": ("code", "name", "tier"), "departments": ("body", "kind", "name"), "people": ("sign_in", "name", "body"),
}  # fmt: skip
_MARK = {"bodies": "tier", "people": "sign_in", "departments": "kind"}


@dataclass(frozen=True)
class Row:
    """One entry; texts are stripped, dates are written out."""

    file: Path
    line: int
    kind: str
    values: dict[str, Any]

    def text(self, name: str) -> str:
        """A field as text; empty when it is not there."""
        found = self.values.get(name)
        return found.isoformat() if isinstance(found, date) else str(found if found is not None else "").strip()


@dataclass(frozen=True)
class Trouble:
    """What is wrong, and where."""

    file: Path
    line: int
    detail: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.detail}"


@dataclass
class Reading:
    """All rows of all files, and everything that is wrong with them."""

    rows: list[Row] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)

    def of(self, kind: str) -> list[Row]:
        """Rows of one kind, in order."""
        return [row for row in self.rows if row.kind == kind]

    def complain(self, row: Row, detail: str) -> None:
        """Note what is wrong with a row."""
        self.troubles.append(Trouble(row.file, row.line, detail))


def read(files: Sequence[Path]) -> Reading:
    """Every row of every file; a file that cannot be read is a trouble as well."""
    found = Reading()
    for file in files:
        rows = _yaml(file, found) if file.suffix in (".yaml", ".yml") else _csv(file, found)
        try:
            found.rows += [row for row in rows if _is_complete(row, found)]
        except (OSError, UnicodeDecodeError) as error:
            found.troubles.append(Trouble(file, 0, f"文件无法读取：{error}"))
        except (yaml.YAMLError, csv.Error) as error:
            mark = getattr(error, "problem_mark", None)
            found.troubles.append(Trouble(file, mark.line + 1 if mark else 0, "文件格式有误，无法解析"))
    return found


def _is_complete(row: Row, found: Reading) -> bool:
    before = len(found.troubles)
    if unknown := sorted(str(name) for name in row.values.keys() - FIELDS[row.kind]):
        found.complain(row, f"没有这样的栏目：{'、'.join(unknown)}")
    for name in REQUIRED[row.kind]:
        if not row.text(name):
            found.complain(row, f"缺少 {name}")
    return len(found.troubles) == before


def _csv(file: Path, found: Reading) -> Iterator[Row]:
    """The header says what the rows are; lines that begin with # are remarks."""
    numbers: list[int] = []

    def lines() -> Iterator[str]:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            for number, line in enumerate(opened, 1):
                if not line.startswith("#"):
                    numbers.append(number)
                    yield line

    reader = csv.DictReader(lines(), restkey="（多出的栏）", restval="")
    names = set(reader.fieldnames or ())
    kind = next((kind for kind, mark in _MARK.items() if mark in names), None)
    if kind is None:
        found.troubles.append(Trouble(file, 1, "表头认不出：机构应有 tier，人员应有 sign_in，部门应有 kind"))
        return
    for values in reader:
        yield Row(file, numbers[reader.line_num - 1], kind, {k: v for k, v in values.items() if v})


def _yaml(file: Path, found: Reading) -> Iterator[Row]:
    """Lists under bodies, departments and people."""
    loader = yaml.SafeLoader(file.read_text(encoding="utf-8"))
    top = loader.get_single_node()
    if not isinstance(top, yaml.MappingNode):
        found.troubles.append(Trouble(file, 1, f"最上层应为 {'、'.join(FIELDS)}"))
        return
    for key, entries in top.value:
        if key.value not in FIELDS or not isinstance(entries, yaml.SequenceNode):
            place = key.start_mark.line + 1
            found.troubles.append(Trouble(file, place, f"应为 {'、'.join(FIELDS)} 之一，其下为列表：{key.value}"))
            continue
        for entry in entries.value:
            place = entry.start_mark.line + 1
            values = loader.construct_object(entry, deep=True)
            if isinstance(values, dict):
                yield Row(file, place, key.value, values)
            else:
                found.troubles.append(Trouble(file, place, "每一项应为若干“栏目: 内容”"))
