"""`anjuan pack`: check procedure packs and draw their diagram. Needs no server."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from lxml import etree

from services.kit.procedure import bpmn
from services.kit.procedure.bundle import load_bundle
from services.kit.procedure.check import check_folder
from services.kit.procedure.graph import FILE, Element, Graph
from services.kit.procedure.model import Finding, PackError
from services.ops import publish

HELP = "程序包检查与画图（不需要服务器），提交与确认发布。"
app = typer.Typer(name="pack", help=HELP, no_args_is_help=True, add_completion=False)
app.command()(publish.publish)
app.command()(publish.confirm)
Folders = Annotated[list[Path], typer.Argument(help="程序包文件夹", exists=True, file_okay=False)]
Json = Annotated[bool, typer.Option("--json", help="输出一个 JSON 对象")]
SIZES = {"userTask": (100, 80), "receiveTask": (100, 80), "Gateway": (50, 50), "Event": (36, 36)}
GAP_X, GAP_Y, EDGE = 60, 40, 30


@app.callback()
def pack() -> None:
    """程序包。"""


@app.command()
def check(
    folders: Folders,
    as_json: Json = False,
    former: Annotated[Path | None, typer.Option(help="旧版本的程序包文件：办理中的案件能否迁移")] = None,
) -> None:
    """检查程序包：写法、引用、安全、覆盖、演练、迁移；退出码 0 无误，1 有误。"""
    old = load_bundle(former.read_bytes()) if former else None
    found = {folder.resolve().name: check_folder(folder, old) for folder in folders}
    if as_json:
        packs = [{"pack": name, "ok": not rows, "findings": [asdict(f) for f in rows]} for name, rows in found.items()]
        typer.echo(json.dumps({"ok": not any(found.values()), "packs": packs}, ensure_ascii=False, indent=2))
    else:
        for name, rows in found.items():
            _told(name, rows)
    raise typer.Exit(1 if any(found.values()) else 0)


def _told(name: str, rows: list[Finding]) -> None:
    for row in rows:
        typer.echo(f"{name}/{row.file}:{row.line}: [{row.kind}] {row.message}\n    改法：{row.mend}", err=True)
    typer.echo(f"{name}：{'没有问题' if not rows else f'{len(rows)} 处问题'}")


@app.command()
def draw(folders: Folders) -> None:
    """按流程重画 process.bpmn 的图（节点和连线不变）；退出码 1 表示流程本身有误。"""
    for folder in folders:
        path = folder / FILE
        try:
            path.write_bytes(drawn(path.read_bytes()))
        except PackError as error:
            _told(folder.name, list(error.findings))
            raise typer.Exit(1) from error
        typer.echo(f"{folder.name}：已画好")


@dataclass
class Box:
    """Where an element lies, in pixels."""

    x: float
    y: float
    w: float
    h: float


@dataclass
class Drawing:
    """Boxes of a process, laid out in columns along the flow."""

    graph: Graph
    boxes: dict[str, Box] = field(default_factory=dict)

    def lay(self, scope: str) -> tuple[float, float]:
        """Lay out one process or subprocess at 0,0; returns its width and height."""
        members = [e for e in self.graph.inside(scope) if e.tag != "boundaryEvent" and not e.by_event]
        sizes = {e.id: self._size(e) for e in members}
        ranks = self._ranks([e.id for e in members])
        rows = self._rows(ranks)
        lefts = _starts({r: max(sizes[i][0] for i in ranks if ranks[i] == r) for r in ranks.values()}, GAP_X)
        tops = _starts({r: max(sizes[i][1] for i in rows if rows[i] == r) for r in rows.values()}, GAP_Y)
        for ident, (w, h) in sizes.items():
            (left, width), (top, height) = lefts[ranks[ident]], tops[rows[ident]]
            self._move(ident, left + (width - w) / 2, top + (height - h) / 2, w, h)
        right, bottom = (max(a + b for a, b in spans.values()) + EDGE for spans in (lefts, tops))
        for event in [e for e in self.graph.inside(scope) if e.by_event]:
            w, h = self.lay(event.id)
            self._move(event.id, EDGE, bottom + GAP_Y, w, h)
            right, bottom = max(right, w + 2 * EDGE), bottom + GAP_Y + h
        return right, bottom + EDGE

    def _size(self, element: Element) -> tuple[float, float]:
        if element.tag == "subProcess":
            return self.lay(element.id)
        return next(size for part, size in SIZES.items() if element.tag.endswith(part))

    def _move(self, ident: str, x: float, y: float, w: float, h: float) -> None:
        self.boxes[ident] = Box(x, y, w, h)
        edges = self.graph.boundary(ident)
        for place, event in enumerate(edges, 1):
            self.boxes[event.id] = Box(x + w * place / (len(edges) + 1) - 18, y + h - 18, 36, 36)
        for inner in self._inside(ident):
            self.boxes[inner].x += x
            self.boxes[inner].y += y

    def _inside(self, scope: str) -> list[str]:
        direct = [e.id for e in self.graph.inside(scope)]
        return direct + [i for d in direct for i in self._inside(d)]

    def _after(self, ident: str) -> list[str]:
        edges = [ident, *(e.id for e in self.graph.boundary(ident))]
        return [f.target for e in edges for f in self.graph.outgoing[e]]

    def _ranks(self, members: list[str]) -> dict[str, int]:
        """Columns: the longest way from the start, ways back left out."""
        order: list[str] = []
        state: dict[str, int] = {}
        back: set[tuple[str, str]] = set()

        def visit(ident: str) -> None:
            state[ident] = 1
            for target in self._after(ident):
                if state.get(target) == 1:
                    back.add((ident, target))
                elif target not in state:
                    visit(target)
            state[ident] = 2
            order.insert(0, ident)

        for ident in sorted(members, key=lambda i: bool(self.graph.incoming[i])):
            if ident not in state:
                visit(ident)
        ranks = dict.fromkeys(order, 0)
        for ident in order:
            for target in [t for t in self._after(ident) if (ident, t) not in back]:
                ranks[target] = max(ranks[target], ranks[ident] + 1)
        return ranks

    def _rows(self, ranks: dict[str, int]) -> dict[str, int]:
        rows: dict[str, int] = {}
        taken: set[tuple[int, int]] = set()
        place = {ident: n for n, ident in enumerate(self.graph.elements)}
        for ident in sorted(ranks, key=lambda i: (ranks[i], place[i])):
            row = min((rows[f.source] for f in self.graph.incoming[ident] if f.source in rows), default=0)
            while (ranks[ident], row) in taken:
                row += 1
            rows[ident] = row
            taken.add((ranks[ident], row))
        return rows

    def way(self, source: str, target: str) -> list[tuple[float, float]]:
        """Waypoints of a flow: right, straight or in one step; ways back run below."""
        a, b = self.boxes[source], self.boxes[target]
        end = (b.x, b.y + b.h / 2)
        if self.graph.elements[source].tag == "boundaryEvent":
            start = (a.x + a.w / 2, a.y + a.h)
            return [start, (start[0], end[1]), end] if b.x > start[0] else [start, (start[0], b.y + b.h + 20), end]
        start = (a.x + a.w, a.y + a.h / 2)
        if b.x > a.x:
            middle = (start[0] + end[0]) / 2
            return [start, end] if start[1] == end[1] else [start, (middle, start[1]), (middle, end[1]), end]
        below = max(a.y + a.h, b.y + b.h) + 20
        centre = b.x + b.w / 2
        return [(a.x + a.w / 2, a.y + a.h), (a.x + a.w / 2, below), (centre, below), (centre, b.y + b.h)]


def _starts(sizes: dict[int, float], gap: float) -> dict[int, tuple[float, float]]:
    found, at = {}, float(EDGE)
    for index in range(max(sizes) + 1):
        found[index] = at, sizes.get(index, 0)
        at += sizes.get(index, 0) + gap
    return found


def drawn(data: bytes) -> bytes:
    """The same process with a new diagram.

    Raises:
        PackError: the process is faulty.
    """
    graph = bpmn.read(data)
    drawing = Drawing(graph)
    drawing.lay(graph.root)
    root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True))
    for old in root.findall("{http://www.omg.org/spec/BPMN/20100524/DI}BPMNDiagram"):
        root.remove(old)
    root.append(etree.fromstring(_diagram(graph, drawing)))
    etree.cleanup_namespaces(root, keep_ns_prefixes=["xsi"])
    etree.indent(root, "  ")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"


def _diagram(graph: Graph, drawing: Drawing) -> str:
    shapes = "".join(
        f'<di:BPMNShape id="{i}_shape" bpmnElement="{i}"{_expanded(graph.elements[i])}>'
        f'<dc:Bounds x="{b.x:g}" y="{b.y:g}" width="{b.w:g}" height="{b.h:g}"/></di:BPMNShape>'
        for i, b in sorted(drawing.boxes.items(), key=lambda item: item[1].w * item[1].h, reverse=True)
    )
    edges = "".join(
        f'<di:BPMNEdge id="{f.id}_edge" bpmnElement="{f.id}">'
        + "".join(f'<way:waypoint x="{x:g}" y="{y:g}"/>' for x, y in drawing.way(f.source, f.target))
        + "</di:BPMNEdge>"
        for f in graph.flows.values()
    )
    names: dict[str, Any] = {"di": "BPMN/20100524/DI", "dc": "DD/20100524/DC", "way": "DD/20100524/DI"}
    spaces = " ".join(f'xmlns:{k}="http://www.omg.org/spec/{v}"' for k, v in names.items())
    plane = f'<di:BPMNPlane id="plane" bpmnElement="{graph.root}">{shapes}{edges}</di:BPMNPlane>'
    return f'<di:BPMNDiagram {spaces} id="diagram">{plane}</di:BPMNDiagram>'


def _expanded(element: Element) -> str:
    return ' isExpanded="true"' if element.tag == "subProcess" else ""
