"""The index is built anew from the owners' exports while they go on working."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from sqlalchemy import select, text, update

from anjuan.archive.v1.archive_pb2 import PageRow
from anjuan.documents.v1.documents_pb2 import InstrumentExport, ServedExport
from anjuan.intake.v1.intake_pb2 import CaseExport
from anjuan.kit.v1.cards_pb2 import PartyCard
from anjuan.search.v1 import search_pb2 as pb
from services.kit import schema
from services.kit.errors import NotAllowedError, NotFoundError, UnavailableError
from services.kit.testing import until
from services.search import tables
from services.search.tests.scene import HERE, JUDGE, OPERATOR, PRESIDENT, Scene, card, page
from services.search.usecases.indexing import build_index, index_changes
from services.search.usecases.rebuild import rebuild

PAGE = 3  # rows of one export


@dataclass
class Site:
    """The owners: what they have, what they tell of each change, and what they export."""

    scene: Scene
    rows: dict[str, dict[str, Any]] = field(default_factory=lambda: {"intake": {}, "documents": {}, "archive": {}})
    lock: threading.Lock = field(default_factory=threading.Lock)
    draw: Random = field(default_factory=lambda: Random(7))

    def read(self, owner: str, after_id: str) -> tuple[Sequence[Any], str]:
        """See model.owners.Owners."""
        with self.lock:
            ids = sorted(one for one in self.rows[owner] if one > after_id)[:PAGE]
            return [self.rows[owner][one] for one in ids], ids[-1] if len(ids) == PAGE else ""

    def case(self, case_id: str) -> None:
        """A new case, or another title, another party, or its sealing."""
        with self.lock:
            known = self.rows["intake"].get(case_id)
            version = known.card.version + 1 if known else 1
            parties = [PartyCard(party_id=f"{case_id}-{version % 3}", name=f"当事人{version}")]
            told = card(title=f"案件{case_id}第{version}版", version=version, parties=parties, sealed=version % 4 == 0)
            self.rows["intake"][case_id] = CaseExport(case_id=case_id, card=told)
        more = {name: getattr(told, name) for name in ("title", "version", "sealed")}
        self.scene.hears("intake", _submitted(told), case_id, case_id)
        assert more["version"] == version

    def instrument(self, case_id: str, name: str) -> None:
        """A new instrument, or one served once more."""
        with self.lock:
            known = self.rows["documents"].get(name)
            if known is None:
                made = InstrumentExport(instrument_id=name, case_id=case_id, title="判决书", issued_on="2025-04-01",
                                        text=f"文书{name}")  # fmt: skip
                self.rows["documents"][name] = made
            else:
                account = f"a-{len(known.served)}"
                serving = ServedExport(serving_id=f"s-{name}-{(account,)}", account_ids=[account])
                fresh = InstrumentExport()
                fresh.CopyFrom(known)
                fresh.served.append(serving)
                self.rows["documents"][name] = fresh
        if known is None:
            self.scene.instrument(case_id, name, "判决书", f"文书{name}")
        else:
            self.scene.serve(case_id, name, account)

    def page(self, case_id: str, name: str) -> None:
        """A new page, or one that is hidden or shown again."""
        with self.lock:
            known = self.rows["archive"].get(name)
            version = known.version + 1 if known else 1
            facts, said = page(name, version, shown=version % 3 != 0), f"页{name}第{version}版"
            self.rows["archive"][name] = PageRow(page_id=name, case_id=case_id, version=version, page=facts, text=said)
        if version == 1:
            self.scene.page(case_id, facts, said)
        else:
            self.scene.change_page(case_id, facts, said)

    def go_on(self, first: int, last: int) -> None:
        """Something happens: mostly to what is there, sometimes it is new."""
        for number in range(first, last):
            case_id = f"c{self.draw.randrange(number + 2):03}"
            if case_id not in self.rows["intake"]:
                self.case(case_id)
            act, name = self.draw.randrange(4), f"{case_id}-{self.draw.randrange(3)}"
            if act == 0:
                self.case(case_id)
            elif act == 1:
                self.instrument(case_id, name)
            else:
                self.page(case_id, name)

    @property
    def truth(self) -> dict[str, int]:
        """Version by id of everything that may be found."""
        told = {f"case:{one}": row.card.version for one, row in self.rows["intake"].items()}
        told |= {f"party:{p.party_id}": row.card.version for row in self.rows["intake"].values()
                 for p in row.card.parties}  # fmt: skip
        told |= {f"instrument:{one}": 1 + len(row.served) for one, row in self.rows["documents"].items()}
        return told | {f"page:{one}": row.version for one, row in self.rows["archive"].items() if row.page.shown}


def _submitted(told: Any) -> Any:
    from anjuan.intake.v1.events_pb2 import FilingSubmitted

    return FilingSubmitted(card=told)


def indexed(scene: Scene) -> dict[str, int]:
    scene.index.refresh()
    return {one.document_id: one.version for one in scene.index.entries(scene.index.current()) if one.findable}


def settled(scene: Scene) -> None:
    """What had to wait for the rebuild has been tried again."""
    def nothing_waits() -> bool:
        scene.listener.sweep()
        with scene.host.engine.begin() as connection:
            return connection.execute(select(schema.inbox_waiting.c.seq)).first() is None

    until(nothing_waits, 30, "the waiting room is empty")
    scene.catch_up()


def start(scene: Scene, site: Site) -> pb.RebuildAnswer:
    """The exports are read."""
    answer = rebuild(scene.host.begin(OPERATOR), site, "")
    while answer.state == "exporting":
        answer = rebuild(scene.host.begin(OPERATOR), site, answer.rebuild_id)
    return answer


def run(scene: Scene, site: Site) -> pb.RebuildAnswer:
    """A whole rebuild, as the operator's command and the worker do it."""
    answer = start(scene, site)
    build_index(scene.host, {"rebuild_id": answer.rebuild_id})
    return rebuild(scene.host.begin(OPERATOR), site, answer.rebuild_id)


def spoil(scene: Scene) -> None:
    """What must not be, in the ledger and so in the index: gone, altered, too new, and what nobody has."""
    t, kept = tables.documents, []
    with scene.host.engine.begin() as connection:
        for kind in ("case", "instrument", "page"):
            ids = connection.execute(select(t.c.document_id).where(t.c.kind == kind).limit(3)).scalars().all()
            kept.append(ids)
            connection.execute(t.delete().where(t.c.document_id == ids[0]))
            connection.execute(update(t).where(t.c.document_id == ids[1]).values(version=999, written=0))
        connection.execute(update(t).where(t.c.document_id == kept[2][2]).values(
            content=text("content || '{\"text\": \"篡改\"}'"), written=0))  # fmt: skip
        connection.execute(t.insert().values(document_id="page:nobody", kind="page", case_id="c000", version=1,
                                             content={"text": "无主", "title": "", "received_on": ""}))  # fmt: skip
    index_changes(scene.host, {})


@pytest.mark.parametrize("engine", ["scene", "elastic_scene"])
def test_a_rebuild_while_writes_go_on_ends_with_what_the_owners_have(
    request: pytest.FixtureRequest, engine: str
) -> None:
    scene: Scene = request.getfixturevalue(engine)
    site = Site(scene)
    site.go_on(0, 40)
    scene.catch_up()
    assert indexed(scene) == site.truth
    spoil(scene)
    assert indexed(scene) != site.truth
    before = scene.index.current()
    going_on = threading.Thread(target=site.go_on, args=(40, 90))
    going_on.start()
    answer = run(scene, site)
    going_on.join()
    told = (answer.state, answer.differing, answer.removed, answer.problem)
    assert told == ("done", 0, 1, ""), told
    assert scene.index.current() != before
    settled(scene)
    assert indexed(scene) == site.truth
    assert scene.found(PRESIDENT, "篡改") == scene.found(PRESIDENT, "无主") == []
    newest = max(site.rows["intake"].values(), key=lambda row: row.card.version)
    assert scene.found(PRESIDENT, f"“{newest.card.title}”", kinds=["case"]) == [f"case:{newest.case_id}"]


def test_an_index_and_a_ledger_that_are_lost_come_back(scene: Scene) -> None:
    site = Site(scene)
    site.go_on(0, 20)
    scene.catch_up()
    scene.index.drop(scene.index.current())
    with pytest.raises(UnavailableError, match="rebuild-search"):
        scene.search(JUDGE, "案件")
    site.case("c000")
    with pytest.raises(UnavailableError, match="rebuild-search"):
        index_changes(scene.host, {})
    with scene.host.engine.begin() as connection:
        connection.execute(tables.documents.delete())
        connection.execute(tables.cases.delete())
    assert run(scene, site).state == "done"
    index_changes(scene.host, {})
    assert indexed(scene) == site.truth


def test_a_build_that_was_cut_off_begins_again_and_leaves_nothing(scene: Scene) -> None:
    site = Site(scene)
    site.go_on(0, 10)
    scene.catch_up()
    answer = start(scene, site)
    assert answer.state == "building"
    left = scene.index.create()
    with scene.host.engine.begin() as connection:
        connection.execute(update(tables.rebuilds).values(index_name=left))
    again = rebuild(scene.host.begin(OPERATOR), site, "")
    assert again.rebuild_id == answer.rebuild_id
    build_index(scene.host, {"rebuild_id": answer.rebuild_id})
    build_index(scene.host, {"rebuild_id": answer.rebuild_id})
    with pytest.raises(UnavailableError):
        scene.index.refresh(left)
    assert indexed(scene) == site.truth


def test_what_differs_is_not_switched_to(scene: Scene) -> None:
    site = Site(scene)
    site.go_on(0, 10)
    scene.catch_up()
    answer, before = start(scene, site), scene.index.current()
    with scene.host.engine.begin() as connection:
        connection.execute(tables.exported.insert().values(document_id="page:lost", version=1))
    build_index(scene.host, {"rebuild_id": answer.rebuild_id})
    told = rebuild(scene.host.begin(OPERATOR), site, answer.rebuild_id)
    assert (told.state, told.differing) == ("failed", 1)
    assert "1 处不一致" in told.problem
    assert scene.index.current() == before
    assert run(scene, site).state == "done"


def test_only_an_operator_rebuilds(scene: Scene) -> None:
    with pytest.raises(NotAllowedError):
        rebuild(scene.host.begin(JUDGE), Site(scene), "")
    with pytest.raises(NotFoundError):
        rebuild(scene.host.begin(OPERATOR), Site(scene), "no-such")


def test_one_job_waits_however_much_changes(scene: Scene) -> None:
    for number in range(3):
        scene.case(f"c{number}", f"第{number}案", body_id=HERE)
    with scene.host.engine.begin() as connection:
        waiting = connection.execute(select(schema.jobs.c.kind).where(schema.jobs.c.done_at.is_(None))).scalars().all()
    assert waiting == ["index_changes"]
    scene.assign("c0", JUDGE)
    scene.catch_up()
    assert scene.found(JUDGE, "第0案") == ["case:c0"]
    scene.assign("c0", JUDGE)  # told again: nothing has changed
    with scene.host.engine.begin() as connection:
        assert not connection.execute(select(schema.jobs.c.kind).where(schema.jobs.c.done_at.is_(None))).all()
