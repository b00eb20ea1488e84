"""The process that renders one template and ends: forked by a stem, `python -I child.py SECONDS`.

The stem has all loaded. Its standard input is a socket over which it is handed one socket for each job; it ends with
it, or when nothing came for so many seconds. A child first sends a descriptor of itself, so that it can be killed, and
limits its own memory and time before it looks at the template; it refuses what is more than values, conditions and
loops, renders in a sandbox, and answers {"docx": …}, {"code": [fault …]}, {"refused": text} or {"exhausted": …}.
"""

from __future__ import annotations

import base64
import gc
import io
import json
import os
import re
import resource
import select
import signal
import socket
import sys
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

from docxtpl import DocxTemplate  # type: ignore[import-untyped]
from jinja2 import TemplateError, TemplateSyntaxError, Undefined, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from lxml import etree

FILTERS = frozenset({"default", "d", "join", "length", "count", "trim", "first", "last", "upper", "lower", "replace"})
_PLAIN = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.For, nodes.CondExpr,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Getattr, nodes.Getitem, nodes.Filter,
    nodes.Test, nodes.Mul, nodes.Keyword, nodes.List, nodes.Tuple,
)  # fmt: skip
_WORDS = {nodes.Call: "调用函数", nodes.Import: "引入其他模板", nodes.FromImport: "引入其他模板",
          nodes.Include: "引入其他模板", nodes.Extends: "继承其他模板", nodes.Macro: "定义宏", nodes.Assign: "赋值",
          nodes.Pow: "乘方", nodes.FilterBlock: "过滤块", nodes.CallBlock: "调用函数",
          nodes.Concat: "拼接"}  # fmt: skip
# what docxtpl renders besides body, headers and footers
_RENDERED = re.compile(r"word/(document|header\d*|footer\d*|footnotes)\.xml")
_CORE = "docProps/core.xml"


def _limit(memory: int, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def code_faults(template: bytes) -> Iterator[str]:
    """What in the template is more than a value, a condition or a loop, in Chinese."""
    environment = ImmutableSandboxedEnvironment(autoescape=True)
    with zipfile.ZipFile(io.BytesIO(template)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name, source in _sources(parts):
        try:
            tree = environment.parse(source)
        except TemplateSyntaxError as error:
            yield f"{name} 中的标记写错了：{error.message}"
        except RecursionError:
            yield f"{name} 中的标记嵌套过深"
        else:
            yield from (f"{name} 第 {node.lineno} 行：{fault}" for node in _walk(tree) for fault in _faults(node))


def _sources(parts: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """Every text that docxtpl gives to Jinja, as it gives it: parsed first, so that no escape hides a brace."""
    patch = DocxTemplate("").patch_xml
    for name in sorted(parts):
        if _RENDERED.fullmatch(name):
            yield name, patch(etree.tostring(etree.fromstring(parts[name]), encoding="unicode"))
        elif name == _CORE:
            yield from ((name, str(e.text)) for e in etree.fromstring(parts[name]).iter(etree.Element) if e.text)


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for inner in node.iter_child_nodes():
        yield from _walk(inner)


def _faults(node: nodes.Node) -> Iterator[str]:
    if not isinstance(node, _PLAIN):
        yield _WORDS.get(type(node), type(node).__name__)
    elif isinstance(node, nodes.Mul) and not _is_own_product(node):
        yield "乘法"
    elif isinstance(node, nodes.Filter) and node.name not in FILTERS:
        yield f"过滤器 {node.name}"
    elif isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        yield f"取用内部属性 {node.attr}"
    elif isinstance(node, nodes.Getitem) and not _is_plain_key(node.arg):
        yield "用计算出来的键取值"
    elif isinstance(node, nodes.For) and node.recursive:
        yield "递归循环"
    elif isinstance(node, nodes.Name) and node.name.startswith("_"):
        yield f"取用内部名称 {node.name}"


def _is_own_product(node: nodes.Mul) -> bool:
    """docxtpl itself writes `<number> * loop.length` for merged cells."""
    return isinstance(node.left, nodes.Const) and isinstance(node.right, nodes.Getattr) and node.right.attr == "length"


def _is_plain_key(key: nodes.Expr) -> bool:
    if not isinstance(key, nodes.Const):
        return False
    return isinstance(key.value, int) or (isinstance(key.value, str) and not key.value.startswith("_"))


def render(template: bytes, context: Mapping[str, Any], gap: str) -> bytes:
    """The docx, in a sandbox; for templates without code_faults."""

    class Gap(Undefined):
        """What nobody has given is marked in the text, false in a condition, empty in a loop."""

        def __str__(self) -> str:
            return gap.format(self._undefined_name or "")

    environment = ImmutableSandboxedEnvironment(autoescape=True, undefined=Gap)
    environment.globals.clear()
    document = DocxTemplate(io.BytesIO(template))
    document.render(dict(context), environment, autoescape=True)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _answer(template: bytes, context: Mapping[str, Any], gap: str) -> dict[str, Any]:
    try:
        if faults := list(dict.fromkeys(code_faults(template))):
            return {"code": faults[:50]}
        return {"docx": base64.b64encode(render(template, context, gap)).decode()}
    except MemoryError:
        return {"exhausted": "memory"}
    except (TemplateError, TypeError, ValueError, KeyError, AttributeError, ArithmeticError) as error:
        return {"refused": f"{type(error).__name__}：{str(error)[:300]}"}


def stem(control: socket.socket, idle_seconds: float) -> None:
    """Fork a child for each socket that comes; what it holds itself, no job has touched."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # they are reaped by themselves
    gc.collect()
    gc.freeze()  # no collection in a child copies what all share
    while select.select([control], [], [], idle_seconds)[0]:
        word, given, *_ = socket.recv_fds(control, 1, 1)
        if not word:
            return
        if os.fork() == 0:
            control.close()
            try:
                _one_job(socket.socket(fileno=given[0]))
            finally:  # whatever else happens, the caller sees that no answer came
                os._exit(0)
        os.close(given[0])


def _one_job(caller: socket.socket) -> None:
    own = os.pidfd_open(os.getpid())
    socket.send_fds(caller, [b"."], [own])
    os.close(own)
    with caller.makefile("rb") as told:
        job = json.load(told)
    signal.setitimer(signal.ITIMER_REAL, job["seconds"] + 1)  # should the caller be gone
    _limit(job["memory"], job["seconds"])
    caller.sendall(json.dumps(_answer(base64.b64decode(job["template"]), job["context"], job["gap"])).encode())


if __name__ == "__main__":
    stem(socket.socket(fileno=0), float(sys.argv[1]))
