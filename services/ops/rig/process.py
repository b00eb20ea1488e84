"""Start, watch and stop one process, known by its pid and its start, never by its name."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.ops.rig.account import Account
from services.ops.rig.place import Place, read_json, write_json
from services.ops.rig.wait import TooLateError, until

LARGEST_LOG = 50_000_000  # bytes; at its next start a process begins a new one, the last one is kept
_children: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Command:
    """How a process is started and how it is asked to end."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    folder: Path
    account: Account | None = None  # None: as ourselves
    ask: signal.Signals = signal.SIGTERM
    grace_seconds: float = 20


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def started_at(pid: int) -> str | None:
    """A mark that no other process ever has: boot and tick of the start. None: gone, or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else f"{_boot()}:{fields[19]}"


def _file(place: Place, name: str) -> Path:
    return place.run / f"{name}.pid"


def pid_of(place: Place, name: str) -> int | None:
    """Pid of the process that this data folder started under that name, None when it is gone."""
    noted = read_json(_file(place, name))
    if not noted or not noted["started"] or started_at(noted["pid"]) != noted["started"]:
        return None
    return int(noted["pid"])


def start(place: Place, command: Command) -> int:
    """Start detached, in a session of its own, output to the log; the pid file says who it is.

    Raises:
        OSError: the program cannot be run.
    """
    _end_leftovers(place, command.name)
    identity = command.account.popen() if command.account else {}
    path = place.logs / f"{command.name}.log"
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.replace(path.with_suffix(".log.1"))
    with path.open("ab") as log:
        child = subprocess.Popen(  # noqa: S603
            command.argv, env=dict(command.env), cwd=command.folder, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True, **identity,
        )  # fmt: skip
    write_json(_file(place, command.name), {"pid": child.pid, "started": started_at(child.pid)})
    _children.append(child)
    reap()
    return child.pid


def reap() -> None:
    """Collect those of our children that ended."""
    _children[:] = [child for child in _children if child.poll() is None]


def send(place: Place, name: str, what: signal.Signals) -> bool:
    """Signal the process; False when it is gone."""
    pid = pid_of(place, name)
    if pid is None:
        return False
    try:
        os.kill(pid, what)
    except ProcessLookupError:
        return False
    return True


def _gone(place: Place, name: str) -> bool:
    return pid_of(place, name) is None


def _kill_session(session: int) -> None:
    """What is left of a session that we started (its leader's pid is its name)."""
    try:
        os.killpg(session, signal.SIGKILL)
    except ProcessLookupError:
        return


def _end_leftovers(place: Place, name: str) -> None:
    """Children of a dead leader. While any lives, the kernel gives the leader's pid to nobody else."""
    reap()
    noted = read_json(_file(place, name))
    boot = _boot()
    if noted and (noted["started"] or "").startswith(boot) and not Path(f"/proc/{noted['pid']}").exists():
        _kill_session(noted["pid"])


def kill(place: Place, name: str) -> None:
    """SIGKILL to the process alone, as an accident would; wait until it is gone. Its keeper may be quick to start the
    next one."""
    pid = pid_of(place, name)
    send(place, name, signal.SIGKILL)
    until(lambda: pid is None or pid_of(place, name) != pid, 30, f"{name} 结束")
    reap()


def stop(place: Place, name: str, ask: signal.Signals = signal.SIGTERM, grace_seconds: float = 20) -> None:
    """Ask it to end, kill it after the grace, then forget it. Harmless when it is gone."""
    pid = pid_of(place, name)
    if pid is not None:
        send(place, name, ask)
        try:
            until(lambda: _gone(place, name), grace_seconds, f"{name} 结束")
        except TooLateError:
            kill(place, name)
        _kill_session(pid)
        reap()
    _file(place, name).unlink(missing_ok=True)


def tail(place: Place, name: str, lines: int = 15) -> str:
    """End of its log."""
    path = place.logs / f"{name}.log"
    if not path.exists():
        return ""
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - 16_384))
        return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
