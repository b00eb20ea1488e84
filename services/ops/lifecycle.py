"""Bring an installation up and down, hold single parts, restart: what `anjuan` and the tests call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from services.ops.guard import start_keeper
from services.ops.installation import Installation, NoInstallationError
from services.ops.keeper import STATE, stop_everything
from services.ops.rig import process
from services.ops.rig.missing import PartFailedError
from services.ops.rig.part import Part
from services.ops.rig.place import Place, read_json, write_json
from services.ops.rig.rabbitmq import ensure_installed
from services.ops.rig.wait import TooLateError, until

READY_SECONDS = 120
WITHOUT = "without.json"


class RefusedError(RuntimeError):
    """What was asked does not go with what runs; the message says what to do."""


def keeper_lives(place: Place) -> bool:
    """Does a keeper hold this data folder?"""
    return process.pid_of(place, "keeper") is not None


def anything_lives(place: Place) -> bool:
    """Does any process that this data folder started still run?"""
    return any(process.pid_of(place, path.stem) for path in place.run.glob("*.pid"))


def _silent(_: str) -> None:
    return


def up(
    data: Path,
    profile: str = "embedded",
    scripted: bool = False,
    wishes: bool = True,
    tell: Callable[[str], None] = _silent,
) -> Installation:
    """Start everything and return when every part answers; harmless when it runs already.

    Raises:
        RefusedError: it runs with another profile.
        PartFailedError: a part did not come up; everything is stopped again.
        MissingPartError: a system package is missing and we may not install it.
    """
    place = Place.at(data)
    if keeper_lives(place):
        return _same(Installation.open(place.data), profile, scripted)
    tell("检查系统软件包")
    ensure_installed()
    installation = Installation.create(place.data, profile, scripted, moving=not anything_lives(place), wishes=wishes)
    for leftover in (place.down, place.run / STATE, place.run / WITHOUT, *place.run.glob("*.hold")):
        leftover.unlink(missing_ok=True)
    for part in installation.backing():
        tell(f"准备 {part.name}（首次使用可能需要几分钟）")
        part.prepare()
    start_keeper(place)
    _follow(installation, tell)
    return installation


def _same(running: Installation, profile: str, scripted: bool) -> Installation:
    if (running.profile, running.scripted) != (profile, scripted):
        raise RefusedError("平台已在运行，但启动方式（--profile、--scripted）不同；请先执行 anjuan down")
    return running


STAGES = {"backing": "启动数据库和消息中间件", "migrate": "建表并声明队列", "running": "启动各业务进程"}


def _follow(installation: Installation, tell: Callable[[str], None]) -> None:
    """Wait for the keeper to bring everything up, saying where it is."""
    place = installation.place

    def ready() -> bool:
        state = read_json(place.run / STATE) or {"phase": "backing", "problem": ""}
        if state["problem"]:
            raise PartFailedError(state["problem"])
        if state["phase"] == "backing" and not keeper_lives(place):
            raise PartFailedError(f"守护进程没有启动\n{process.tail(place, 'keeper')}")
        tell(STAGES.get(state["phase"], state["phase"]))
        return state["phase"] == "running" and all(part.ready() for part in installation.programs())

    try:
        until(ready, READY_SECONDS, "整个平台", every=0.1)
    except PartFailedError:
        down(place.data)
        raise
    except TooLateError as error:
        late = [part.name for part in installation.parts() if not part.ready()]
        logs = "\n".join(f"—— {name} ——\n{process.tail(place, name)}" for name in late)
        down(place.data)
        raise PartFailedError(f"{error}（未就绪：{'、'.join(late)}）\n{logs}") from None


def down(data: Path) -> bool:
    """Stop exactly what was started from this folder; False when nothing ran."""
    if not (data / "environment.json").exists():
        return False
    installation = Installation.open(data)
    place = installation.place
    place.down.touch()
    lived = anything_lives(place)
    process.stop(place, "keeper", grace_seconds=120)
    stop_everything(installation)
    (place.run / STATE).unlink(missing_ok=True)
    return lived


def erase(data: Path) -> None:
    """Stop, then remove the folder with everything in it."""
    down(data)
    Place.at(data).erase()


def _chosen(installation: Installation, names: Sequence[str]) -> list[Part]:
    known = {part.name: part for part in installation.parts()}
    unknown = sorted(set(names) - set(known) - set(installation.rooms))
    if unknown:
        every = "、".join([*known, *installation.rooms])
        raise RefusedError(f"没有名为 {'、'.join(unknown)} 的组成部分；可用的有：{every}")
    return [known[name] for name in names if name in known]


def restart(installation: Installation, names: Sequence[str] = ()) -> None:
    """Stop parts (default: all) in order; the keeper starts each again; return when all answer.

    Raises:
        RefusedError: no such part, or nothing runs.
        TooLateError: one did not come back in time.
    """
    place = installation.place
    if not keeper_lives(place):
        raise RefusedError("平台没有在运行，请先执行 anjuan up")
    parts = _chosen(installation, names) if names else list(reversed(installation.parts()))
    for part in parts:
        before, command = process.pid_of(place, part.name), part.command()
        process.send(place, part.name, command.ask)
        until(lambda name=part.name, pid=before: process.pid_of(place, name) not in (None, pid),  # type: ignore[misc]
              command.grace_seconds + 10, f"{part.name} 重新启动")  # fmt: skip
    until(lambda: all(part.ready() for part in installation.parts()), READY_SECONDS, "重新启动后的平台")


def hold(installation: Installation, names: Sequence[str]) -> None:
    """Stop parts or rooms and keep them stopped until release().

    A room shares its processes with the others: those start again without it.
    """
    place, parts = installation.place, _chosen(installation, names)
    for part in parts:
        place.hold(part.name).touch()
    for part in parts:
        until(lambda name=part.name: process.pid_of(place, name) is None, 60, f"{part.name} 停止")  # type: ignore[misc]
    _run_without(installation, held_rooms(place) | (set(names) & set(installation.rooms)))


def release(installation: Installation, names: Sequence[str]) -> None:
    """Let held parts or rooms run again; return when everything that is not held answers."""
    place = installation.place
    for part in _chosen(installation, names):
        place.hold(part.name).unlink(missing_ok=True)
    _run_without(installation, held_rooms(place) - set(names))
    running = [part for part in installation.parts() if not place.hold(part.name).exists()]
    until(lambda: all(part.ready() for part in running), READY_SECONDS, "、".join(names))


def held_rooms(place: Place) -> set[str]:
    """Rooms that the hosts leave out."""
    return set(read_json(place.run / WITHOUT) or [])


def _run_without(installation: Installation, rooms: set[str]) -> None:
    if rooms == held_rooms(installation.place):
        return
    write_json(installation.place.run / WITHOUT, sorted(rooms))
    hosts = [part.name for part in installation.programs() if part.name != "gateway"]
    restart(installation, [name for name in hosts if not installation.place.hold(name).exists()])


def opened(data: Path) -> Installation:
    """The installation in that folder.

    Raises:
        RefusedError: none is there.
    """
    try:
        return Installation.open(data)
    except NoInstallationError as error:
        raise RefusedError(str(error)) from None
