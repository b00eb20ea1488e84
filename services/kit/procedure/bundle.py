"""One pack version as one file: a stored zip, names sorted, no times, so that equal folders have equal hashes."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import yaml

from services.kit.procedure.load import FROZEN, KNOWN, load_files
from services.kit.procedure.model import Finding, Pack, PackError
from services.kit.procedure.source import SourceError, read
from services.kit.settings import domain_dir

SIZE, PARTS, KEPT = 50_000_000, 500, 64
_loaded: OrderedDict[str, Pack] = OrderedDict()
_loading = Lock()
_DOMAIN = {
    "deadlines": ("deadlines.yaml", "deadlines"), "documents": ("documents.yaml", "documents"),
    "catalogues": ("volumes.yaml", "volumes"), "monitoring": ("indicators.yaml", "e_supervision_rules"),
}  # fmt: skip


def _refuse(message: str, mend: str) -> PackError:
    return PackError([Finding("（程序包）", 0, message, mend, "safety")])


def files_of(folder: Path) -> dict[str, bytes]:
    """The folder's files with the referenced law frozen beside them.

    Raises:
        PackError: no such folder, or unreadable.
    """
    if not (folder / "pack.yaml").is_file():
        raise _refuse(f"{folder.name} 里没有 pack.yaml", "给出程序包的文件夹")
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and not any(x.startswith(".") for x in p.parts[-2:]))
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}
    return {n: d for n, d in files.items() if not n.startswith("frozen/")} | _freeze(files)


def _freeze(files: Mapping[str, bytes]) -> dict[str, bytes]:
    frozen = {}
    for name in FROZEN:
        known, todo = domain(name), _named(files, name)
        found: dict[str, Any] = {}
        while todo:
            if (ident := todo.pop()) in known and ident not in found:
                found[ident] = known[ident]
                more = known[ident].get("extensions", [])
                todo += [e[k] for e in more for k in ("request_limit", "decide_limit") if e.get(k)]
        frozen[f"frozen/{name}.json"] = json.dumps(found, ensure_ascii=False, sort_keys=True, indent=1).encode()
    return frozen


def _named(files: Mapping[str, bytes], name: str) -> list[str]:
    """Ids of the law that a pack names; a file that cannot be read is told when it is loaded."""
    file, part, key = {
        "deadlines": ("time_limits.yaml", "limits", "limit"), "documents": ("instruments.yaml", "instruments", "id"),
        "catalogues": ("volumes.yaml", "volumes", "catalogue"),
    }[name]  # fmt: skip
    try:
        rows = read(file, files[file]).data[part]
        return [str(row[key]) for row in rows]
    except (SourceError, KeyError, TypeError):
        return []


def domain(name: str) -> dict[str, dict[str, Any]]:
    """deadlines, documents, catalogues or monitoring (rules for cards) of the domain folder, by id."""
    return _domain(domain_dir(), name)


@cache
def _domain(folder: Path, name: str) -> dict[str, dict[str, Any]]:
    file, part = _DOMAIN[name]
    text = (folder / file).read_text(encoding="utf-8")
    return {row["id"]: row for row in yaml.load(text, Loader=yaml.CSafeLoader)[part]}


def pack_files(files: Mapping[str, bytes]) -> bytes:
    """The bundle of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr, info.create_system = 0o644 << 16, 3
            archive.writestr(info, files[name])
    return out.getvalue()


def bundle_of(folder: Path) -> bytes:
    """A folder as a bundle; the same folder and law give the same bytes everywhere."""
    return pack_files(files_of(folder))


def sha256_of(data: bytes) -> str:
    """The name of a bundle in the object store."""
    return hashlib.sha256(data).hexdigest()


def load_bundle(data: bytes) -> Pack:
    """The pack of a bundle; the rooms of a process share it, and callers that miss it together load it once.

    Raises:
        PackError: not a bundle of ours, too large, compressed, or a faulty pack.
    """
    name = sha256_of(data)
    with _loading:
        if name not in _loaded:
            _loaded[name] = load_files(_unpack(data), name)
            while len(_loaded) > KEPT:
                _loaded.popitem(last=False)
        return _loaded[name]


def load_folder(folder: Path) -> Pack:
    """The pack of a folder, as its bundle would be."""
    return load_bundle(bundle_of(folder))


def _unpack(data: bytes) -> dict[str, bytes]:
    if len(data) > SIZE:
        raise _refuse(f"超过 {SIZE} 字节", "去掉大图")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            # Stored means what it says: nothing can unfold to more than lies there.
            if len(parts) > PARTS or any(p.compress_type or p.file_size != p.compress_size for p in parts):
                raise _refuse("不是程序包或不完整：含有压缩的部分，或部分过多", "用 anjuan pack 打包后重新上传")
            if strange := [p.filename for p in parts if not KNOWN.fullmatch(p.filename)]:
                raise _refuse(f"不认识的文件 {strange[0]}", "用 anjuan pack 打包")
            files = {p.filename: archive.read(p) for p in parts}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise _refuse(f"不是程序包：{error}", "用 anjuan pack 打包") from error
    if len(files) != len(parts):
        raise _refuse("有重名的文件", "用 anjuan pack 打包")
    return files
