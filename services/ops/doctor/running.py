"""The installation: ports, database durability, broker, every process, and locks of the object store."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg

from anjuan.kit.v1 import operations_pb2 as pb
from services.kit import clock
from services.kit.errors import DomainError, RuleRefusedError
from services.kit.objects import ObjectStore, open_store
from services.ops.doctor.asking import Check, side_by_side
from services.ops.doctor.finding import Finding
from services.ops.doors import Doors, opened_doors
from services.ops.installation import Installation
from services.ops.lifecycle import RefusedError, anything_lives, keeper_lives
from services.ops.output import LABELS
from services.ops.rig import process
from services.ops.rig.part import Part
from services.ops.rig.ports import is_free
from services.ops.status import part_status

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
PROBES = "doctor"
ROOM_SECONDS = 3.5  # for a sign-in, then for all rooms at once
_FOLDER = (
    "文件夹存储不能真正锁定：归档文件只设为只读，能进入该文件夹的人仍可删改，靠 anjuan scrub 以哈希发现（仅供单机体验，"
    "正式使用请选带对象锁定的 S3 存储）"
)


def findings(installation: Installation) -> Iterator[Finding]:
    """Of the installation in its folder, running or not."""
    yield _ports(installation)
    if not anything_lives(installation.place):
        yield Finding("平台", False, "没有在运行", "执行 anjuan up")
        return
    yield _keepers(installation)
    yield from side_by_side([
        Check("数据库落盘", partial(_durability, installation), "执行 anjuan restart postgres"),
        Check("消息中间件连接", partial(_broker, installation), "执行 anjuan restart rabbitmq"),
        *(_part(installation, part) for part in installation.parts()),
        Check("搁置的事项", partial(_parked, installation), "先恢复上面没有应答的部分"),
        Check("归档锁定", partial(_locks, installation), "先恢复上面没有应答的部分"),
    ])  # fmt: skip


def _part(installation: Installation, part: Part) -> Check:
    title, log = LABELS.get(part.name, part.name), installation.place.logs / f"{part.name}.log"
    mend = f"查看 {log}，然后执行 anjuan restart {part.name}"

    def look() -> Finding:
        state = part_status(installation, part)
        found = "正常" if state["healthy"] else f"没有应答 {'、'.join(state['lacking'])}".rstrip()
        return Finding(title, state["healthy"], found, mend)

    return Check(title, look, mend)


def _parked(installation: Installation) -> Finding:
    """What was given up after many attempts waits for a person, and holds up the cases it belongs to."""
    where = f"--data {installation.place.data}"
    mend = f"执行 anjuan parked list {where}，排除原因后 anjuan parked retry 服务名 {where}"
    try:
        with opened_doors(installation.place.data, ROOM_SECONDS) as ways:
            told = _books(ways)
    except RefusedError as error:
        return Finding("搁置的事项", False, f"无法查询：{error}", "先恢复上面没有应答的部分")
    silent = [room for room, book in told.items() if book is None]
    parked = {room: book.parked for room, book in told.items() if book is not None and book.parked}
    found = [f"{room} {len(those)} 项（{those[0].type or '无法读懂'}）" for room, those in parked.items()]
    found += [f"{'、'.join(silent)} 在 {ROOM_SECONDS:g} 秒内没有应答"] if silent else []
    return Finding("搁置的事项", not found, "、".join(found) or "没有", mend)


def _books(ways: Doors) -> dict[str, Any]:
    """Of every room, all asked at once."""
    with ThreadPoolExecutor(max_workers=max(1, len(ways.rooms))) as pool:
        return dict(zip(ways.rooms, pool.map(partial(_book, ways), ways.rooms), strict=True))


def _book(ways: Doors, room: str) -> Any:
    """What a room says of its parked events; None when it does not say."""
    try:
        return ways.ask(room, "GetBalance", pb.GetBalanceRequest())
    except DomainError:
        return None


def _ports(installation: Installation) -> Finding:
    """Ports of what does not run must be free; what runs holds its own."""
    if anything_lives(installation.place):
        return Finding("端口", True, "由本平台使用", "")
    taken = [f"{name}={port}" for name, port in installation.ports.items() if not is_free(port)]
    found = f"被占用：{'、'.join(taken)}" if taken else "空闲"
    return Finding("端口", not taken, found, "执行 anjuan up，会自动改用其他端口")


def _keepers(installation: Installation) -> Finding:
    both = keeper_lives(installation.place) and process.pid_of(installation.place, "guard") is not None
    return Finding("守护进程", both, "在运行" if both else "没有运行，退出的进程不会自动恢复", "执行 anjuan up")


def _durability(installation: Installation) -> Finding:
    mend = "恢复数据目录中 postgres/anjuan.conf 的默认内容（执行 anjuan restart postgres 会自动重写）"
    try:
        with installation.postgres.connect() as admin:
            found = {name: str((admin.execute(f"show {name}").fetchone() or ("?",))[0]) for name in DURABLE}
    except psycopg.OperationalError as error:
        return Finding("数据库落盘", False, str(error).strip(), "执行 anjuan restart postgres")
    return Finding("数据库落盘", found == DURABLE, "、".join(f"{k}={v}" for k, v in found.items()), mend)


def _broker(installation: Installation) -> Finding:
    ready = installation.rabbitmq.ready()
    found = f"127.0.0.1:{installation.rabbitmq.port} {'可以连接' if ready else '连接不上'}"
    return Finding("消息中间件连接", ready, found, "执行 anjuan restart rabbitmq")


def _locks(installation: Installation) -> Finding:
    """Try to remove a locked object: the store must refuse."""
    mend = "使用启用了对象锁定的存储桶（新桶由平台自动创建）"
    try:
        store = open_store(installation.variables["ANJUAN_OBJECTS"])
        for old in list(store.keys(PROBES)):
            _try_delete(store, old)
        key = f"{PROBES}/{clock.new_id()}"
        store.put(key, io.BytesIO(b"probe"), 5)
        if not store.lock(key, clock.now() + timedelta(minutes=1)):
            is_folder = installation.variables["ANJUAN_OBJECTS"].startswith("file:")
            return Finding("归档锁定", is_folder, _FOLDER if is_folder else "该存储桶没有启用对象锁定", mend)
        fault = "锁定的文件被删除了" if _try_delete(store, key) else _overwritten(store, key)
    except DomainError as error:
        return Finding("归档锁定", False, error.detail, "执行 anjuan restart objects")
    return Finding("归档锁定", not fault, fault or "锁定的文件删不掉；改写只产生新版本，原件仍在（已实际试过）", mend)


def _overwritten(store: ObjectStore, key: str) -> str:
    """Write over a locked object, take that away again: the locked bytes must be there, and still locked."""
    try:
        store.put(key, io.BytesIO(b"forged"), 6)
    except RuleRefusedError:
        return ""
    if not _try_delete(store, key):
        return "写在锁定文件之上的内容删不掉"
    if store.size(key) is None or store.get(key) != b"probe":
        return "锁定的文件被改写后原件丢失"
    return "" if not _try_delete(store, key) else "改写之后锁定的文件可以删除"


def _try_delete(store: ObjectStore, key: str) -> bool:
    try:
        store.delete(key)
    except RuleRefusedError:
        return False
    return True
