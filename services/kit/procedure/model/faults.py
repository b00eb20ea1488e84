"""What is wrong in a pack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.kit.errors import InvalidInputError


@dataclass(frozen=True)
class Finding:
    """What is wrong in a pack, where, and the mend. `line` counts from 1; 0 when the whole file is meant."""

    file: str
    line: int
    message: str
    mend: str
    kind: str = "schema"  # schema, reference, safety, coverage, behaviour, change

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}（{self.mend}）"


class PackError(InvalidInputError):
    """A pack that cannot be loaded; `findings` says every fault found."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        fields = [{"pointer": f"{f.file}:{f.line}", "detail": f"{f.message}（{f.mend}）"} for f in findings]
        super().__init__("程序包有误：" + "；".join(str(f) for f in findings[:5]), fields)
        self.findings = tuple(findings)
