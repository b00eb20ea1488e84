"""Everything that can be known of a pack before it is published: every fault with file, line and mend.

Order: form and safety (load), references, behaviour and coverage (play), change against a former version.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from services.kit.procedure import bpmn
from services.kit.procedure.bundle import files_of, pack_files, sha256_of
from services.kit.procedure.check import behaviour, change, expressions, references
from services.kit.procedure.load import load_files, sources_of
from services.kit.procedure.model import Finding, Pack, PackError


def check_folder(folder: Path, former: Pack | None = None) -> list[Finding]:
    """All findings of a pack folder, by file and line; empty when it may be published. `former`: the version
    whose running cases might move to this one."""
    try:
        files = files_of(folder)
        pack = load_files(files, sha256_of(pack_files(files)))
    except PackError as error:
        return ordered(error.findings)
    sources, _ = sources_of(files)
    graph = bpmn.read(files["process.bpmn"])
    found = [*references.findings(pack, graph, sources), *expressions.findings(pack, sources, graph)]
    if pack.id != folder.resolve().name:
        found.append(sources["pack.yaml"].fault(f"id 与文件夹名 {folder.resolve().name} 不同", "改成一样", "id"))
    if not found:
        found += behaviour.findings(pack, graph, sources)
    if former is not None:
        found += change.findings(former, pack, sources)
    return ordered(found)


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """By file and line, each once."""
    return sorted(dict.fromkeys(findings), key=lambda f: (f.file, f.line, f.message))
