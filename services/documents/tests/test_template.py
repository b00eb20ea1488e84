"""Templates: values, conditions and loops; no code, no endless work, no way out."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from docx.shared import Pt
from jinja2 import TemplateError, UndefinedError
from jinja2.exceptions import SecurityError

from services.documents.render import child, marks, stem, template
from services.documents.render.check import check_docx
from services.documents.settings import KNOBS
from services.documents.tests import papers
from services.kit.errors import InvalidInputError, RuleRefusedError
from services.kit.testing import until

ATTACKS = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__['os'].system('id') }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ x|attr('__class__') }}",
    "{{ x|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "{{ x['__class__'] }}",
    "{{ x[y] }}",
    "{{ x|map(attribute='__class__')|list }}",
    "{{ '%s'|format(x) }}",
    "{{ '{0.__class__}'.format(x) }}",
    "{{ range(1000000000) }}",
    "{% for a in range(10) %}{% endfor %}",
    "{{ 'a' * 1000000000 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{% set x = 1 %}",
    "{% macro f() %}{% endmacro %}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% extends 'x' %}",
    "{% filter upper %}a{% endfilter %}",
    "{% for a in x recursive %}{% endfor %}",
    "{{ x ~ x }}",
    "{{ x.append(1) }}",
    "{%p for a in x.__class__ %}",
    "{%tr for a in x.pop() %}",
    "{{r x.__dict__ }}",
    "{% colspan x.__class__ %}",
]


def rendered(docx: bytes, **context: object) -> str:
    """The words of the rendered document."""
    return marks.text_of(check_docx(template.render(docx, context)))


@pytest.mark.parametrize("attack", ATTACKS)
def test_code_in_a_template_is_refused(attack: str) -> None:
    with pytest.raises(InvalidInputError, match="文书模板不能使用"):
        template.render(papers.plain(attack), {"x": [1], "y": "__class__"})


@pytest.mark.parametrize("where", ["header", "footer", "title", "table"])
def test_code_hides_nowhere(where: str) -> None:
    document, attack = papers.paper(), "{{ x.__class__ }}"
    if where == "title":
        document.core_properties.title = attack
    elif where == "table":
        document.add_table(1, 1).cell(0, 0).text = attack
    else:
        getattr(document.sections[0], where).paragraphs[0].text = attack
    with pytest.raises(InvalidInputError, match="取用内部属性 __class__"):
        template.render(papers.saved(document), {"x": 1})


def test_code_cut_into_runs_or_written_as_escapes_is_found() -> None:
    document = papers.paper()
    paragraph = document.add_paragraph()
    for piece in ("{", "{ x", ".__cla", "ss__ }", "}"):
        paragraph.add_run(piece).font.size = Pt(12)
    with pytest.raises(InvalidInputError, match="__class__"):
        template.render(papers.saved(document), {"x": 1})
    files = papers.parts(papers.plain("MARK"))
    escaped = "&#123;&#x7b; x.__class__ &#125;}"
    files["word/document.xml"] = files["word/document.xml"].replace(b"MARK", escaped.encode())
    with pytest.raises(InvalidInputError, match="__class__"):
        template.render(papers.packed(files), {"x": 1})


@pytest.mark.parametrize("attack", ATTACKS[:11])
def test_behind_the_check_stands_a_sandbox(attack: str) -> None:
    """The second wall, should the first let something through."""
    try:
        docx = child.render(papers.plain("A", attack), {"x": [1], "y": "__class__"}, marks.GAP)
    except (SecurityError, UndefinedError, TemplateError):
        return
    said = marks.text_of(papers.parts(docx)).replace(attack, "")
    assert not re.search(r"uid=|object at|<class|built-in|\[\]", said)


def test_values_are_data_whatever_they_contain() -> None:
    said = rendered(papers.plain("{{ 甲 }}|{{ 乙 }}"), 甲="{{ 7*7 }}<w:p/>&amp; \"'", 乙="第一行\n第二行")
    assert said == "{{ 7*7 }}<w:p/>&amp; \"'|第一行第二行"


def test_conditions_loops_and_rows() -> None:
    table = papers.paper()
    grid = table.add_table(3, 1)
    for row, text in enumerate(("{%tr for 项 in 清单 %}", "{{ loop.index }}.{{ 项.名称 }}", "{%tr endfor %}")):
        grid.cell(row, 0).text = text
    papers.say(table, "{% if 加重 %}从重{% else %}从轻{% endif %}{{ 人|join('、') }}{{ 无|default('（空）') }}")
    said = rendered(papers.saved(table), 清单=[{"名称": "笔"}, {"名称": "纸"}], 加重=False, 人=["甲", "乙"])
    assert said.splitlines() == ["1.笔", "2.纸", "从轻甲、乙（空）"]


def test_what_nobody_gave_is_marked() -> None:
    docx = papers.plain("{{ 事由 }}{% if 事由 %}有{% endif %}{% for a in 清单 %}{% endfor %}")
    assert rendered(docx) == "【待填：事由】"


def test_a_template_that_never_ends_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    loops = "".join(f"{{% for a{n} in x %}}" for n in range(12)) + "".join("{% endfor %}" for _ in range(12))
    monkeypatch.setattr(template, "KNOBS", replace(KNOBS, render_seconds=3.0))
    with pytest.raises(RuleRefusedError, match="已强行终止"):
        template.render(papers.plain(loops), {"x": list(range(200))})


def test_a_template_that_eats_memory_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    loops = "".join(f"{{% for a{n} in x %}}" for n in range(4)) + "{{ y }}" + "".join("{% endfor %}" for _ in range(4))
    monkeypatch.setattr(template, "KNOBS", replace(KNOBS, render_memory=400 * 1024**2))
    with pytest.raises(RuleRefusedError, match="占用内存过大"):
        template.render(papers.plain(loops), {"x": list(range(100)), "y": "很长的文字" * 2000})


def test_the_child_can_write_no_file(tmp_path: Path) -> None:
    written = tmp_path / "out"
    code = (
        f"import runpy; child = runpy.run_path({str(stem.CHILD)!r}); child['_limit'](10**9, 5); "
        f"open({str(written)!r}, 'wb', buffering=0).write(b'x')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode != 0
    assert b"File too large" in done.stderr
    assert written.stat().st_size == 0


def stems() -> list[psutil.Process]:
    """The warm processes that this one has started."""
    return [one for one in psutil.Process().children() if str(stem.CHILD) in one.cmdline()]


def test_children_come_from_a_stem_that_ends_when_idle_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    own = stem.Stem()
    monkeypatch.setattr(template, "STEM", own)
    monkeypatch.setattr(stem, "KNOBS", replace(KNOBS, render_idle_seconds=0.2))
    known = {one.pid for one in stems()}
    assert rendered(papers.plain("{{ 甲 }}"), 甲="一") == "一"
    until(lambda: {one.pid for one in stems()} == known, 10, "the idle stem has ended")
    monkeypatch.setattr(stem, "KNOBS", KNOBS)
    assert rendered(papers.plain("{{ 甲 }}"), 甲="二") == "二"
    (warm,) = [one for one in stems() if one.pid not in known]
    assert rendered(papers.plain("{{ 甲 }}"), 甲="三") == "三"
    assert [one.pid for one in stems() if one.pid not in known] == [warm.pid]
    warm.kill()
    assert rendered(papers.plain("{{ 甲 }}"), 甲="四") == "四"
    assert not warm.is_running()
    own.stop()


def test_one_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    loops = "".join(f"{{% for a{n} in x %}}" for n in range(12)) + "".join("{% endfor %}" for _ in range(12))
    monkeypatch.setattr(template, "KNOBS", replace(KNOBS, render_seconds=60.0))
    with ThreadPoolExecutor(1) as aside:
        hangs = aside.submit(template.render, papers.plain(loops), {"x": list(range(200))})
        assert rendered(papers.plain("{{ 甲 }}"), 甲="一") == "一"
        until(lambda: [one.children() for one in stems() if one.children()], 10, "the child")
        assert not hangs.done()
        for one in stems():
            for busy in one.children():
                busy.kill()
        with pytest.raises(RuleRefusedError, match="已强行终止"):
            hangs.result()


def test_a_broken_tag_says_where() -> None:
    with pytest.raises(InvalidInputError, match="标记写错了"):
        template.render(papers.plain("{% if x %}没有结束"), {})


def test_a_hostile_template_is_refused_like_an_upload() -> None:
    files = papers.parts(papers.plain("a")) | {"word/vbaProject.bin": b"x"}
    with pytest.raises(InvalidInputError, match="文书模板不能使用：含有宏代码"):
        template.render(papers.packed(files), {})
    with pytest.raises(InvalidInputError):
        template.render(b"not a zip", {})
