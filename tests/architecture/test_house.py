"""The house rules of docs/decisions/0001-the-house.md, executed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.kit.settings import ROOT

CODE = ("services", "gateway", "scanning")
FORBIDDEN = re.compile(r"(^|_)(utils?|common|helpers?|misc|base|managers?)($|_)")
ROOM_FILES = {"__init__.py", "__main__.py", "rpc.py", "consumer.py", "usecases.py", "views.py", "store.py",
              "tables.py", "model.py", "settings.py", "README.md", "clients.py"}  # fmt: skip
GLOSSARY_BANNED = {
    "Service": "Serving is 送达; a program is called by its own name",
    "Handler": "承办人 is case_officer; functions are on_<event>",
    "Warning": "预警 is AlertCard",
    "Execution": "执行 is Enforcement",
}


def sources(*folders: str) -> Iterator[Path]:
    """Python files under folders, tests and migrations left out."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "tests" not in path.parts and "migrations" not in path.parts:
                yield path


def rooms() -> list[Path]:
    """Folders of services that are rooms."""
    return sorted(p.parent for p in (ROOT / "services").glob("*/__main__.py") if p.parent.name != "ops")


def lines(path: Path) -> int:
    """Lines of a file."""
    return len(path.read_text("utf-8").splitlines())


def too_long_files(paths: Iterator[Path]) -> list[str]:
    """Files over 300 lines."""
    return [f"{p.relative_to(ROOT)}: {lines(p)}" for p in paths if lines(p) > 300]


def long_functions(path: Path) -> list[str]:
    """Functions over 30 lines, docstring and decorators not counted."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            length = (node.end_lineno or 0) - body[0].lineno + 1
            if length > 30:
                found.append(f"{path}:{node.lineno} {node.name}: {length}")
    return found


def names(path: Path) -> Iterator[str]:
    """Names that a file gives to files, classes, functions."""
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def sleeps(path: Path) -> bool:
    """Whether a file calls something named sleep."""
    calls = (node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call))
    return any(getattr(call, "attr", getattr(call, "id", "")) == "sleep" for call in calls)


def words_of(name: str) -> str:
    """CamelCase or snake_case as snake_case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def test_files_keep_their_budget() -> None:
    assert not too_long_files(sources(*CODE))


def test_tests_keep_their_budget_too() -> None:
    assert not too_long_files(p for folder in (*CODE, "tests") for p in (ROOT / folder).rglob("test_*.py"))


def test_functions_keep_their_budget() -> None:
    assert not [line for path in sources(*CODE) for line in long_functions(path)]


KIT = "services/kit"
LAW, DESK = (f"{KIT}/legal_calendar", f"{KIT}/numbers"), (f"{KIT}/procedure/check", f"{KIT}/procedure/play")
BUDGETS = [
    ((KIT,), (f"{KIT}/procedure", f"{KIT}/access", *LAW), 4000),
    ((f"{KIT}/access",), (), 450),
    (LAW, (), 1450),
    ((f"{KIT}/procedure",), DESK, 2500),
    (DESK, (), 1250),
]


@pytest.mark.parametrize(("folders", "without", "budget"), BUDGETS)
def test_kit_keeps_its_budget(folders: tuple[str, ...], without: tuple[str, ...], budget: int) -> None:
    elsewhere = [ROOT / folder for folder in without]
    counted = [p for p in sources(*folders) if not any(p.is_relative_to(folder) for folder in elsewhere)]
    assert 0 < sum(lines(p) for p in counted) <= budget


def test_names_say_what_they_mean() -> None:
    wrong = [f"{p.relative_to(ROOT)}: {n}" for p in sources(*CODE) for n in names(p) if FORBIDDEN.search(words_of(n))]
    assert not wrong


def test_names_follow_the_glossary() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name} – {why}"
        for path in sources(*CODE)
        for name in names(path)
        for banned, why in GLOSSARY_BANNED.items()
        if name == banned or (name.endswith(banned) and path.name != "rpc.py")
    ]
    assert not wrong


def test_every_room_looks_the_same() -> None:
    assert rooms()
    for room in rooms():
        have = {p.name for p in room.iterdir() if p.is_file()}
        needed = ROOM_FILES - {"clients.py"}
        folders = {f"{p.name}.py" for p in room.iterdir() if p.is_dir()}
        assert needed <= have | folders, f"{room.name} lacks {sorted(needed - have - folders)}"
        extra = {n for n in have - ROOM_FILES if n.endswith(".py")}
        assert len(extra) <= 1, f"{room.name}: more than one adapter: {sorted(extra)}"
        assert (room / "migrations").is_dir()
        assert (room / "tests").is_dir()


def test_only_kit_clock_asks_the_machine_for_the_time() -> None:
    asks = re.compile(r"\b(datetime\.(now|utcnow|today)|date\.today|time\.(time|monotonic|perf_counter))\(")
    # the bridge runs under the interpreter that has LibreOffice's uno, where kit is not
    may = {ROOT / "services/kit/clock.py", ROOT / "services/documents/render/bridge.py"}
    wrong = [str(p.relative_to(ROOT)) for p in sources(*CODE) if p not in may and asks.search(p.read_text("utf-8"))]
    assert not wrong


def test_tests_do_not_sleep() -> None:
    tests = [p for folder in (*CODE, "tests") for p in (ROOT / folder).rglob("test_*.py")]
    assert tests
    assert not [str(p) for p in tests if sleeps(p)]


def test_only_the_engine_knows_spiff_and_only_the_inbox_nameko() -> None:
    owners = {"SpiffWorkflow": "services/kit/procedure/engine", "nameko": "services/kit/"}
    for library, home in owners.items():
        imports = re.compile(rf"^\s*(from|import) {library}\b", re.MULTILINE)
        wrong = [
            str(p.relative_to(ROOT)) for p in sources(*CODE)
            if imports.search(p.read_text("utf-8")) and not str(p.relative_to(ROOT)).startswith(home)
        ]  # fmt: skip
        assert not wrong, library


def test_layers_and_walls() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--config", ROOT / ".importlinter"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_checks_can_fail(tmp_path: Path) -> None:
    long = tmp_path / "long.py"
    long.write_text("def f():\n" + "    x = 1\n" * 31)
    assert long_functions(long)
    long.write_text("import time\ntime.sleep(1)\n")
    assert sleeps(long)
    assert FORBIDDEN.search(words_of("CaseManager"))
    assert not FORBIDDEN.search(words_of("database"))
