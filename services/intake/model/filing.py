"""A filing: what somebody hands in, and everything that is wrong with it, told at once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from services.intake.model.fault import Fault, pointer
from services.intake.model.people import Party, Reporter, faults_of_all, faults_of_each, faults_of_reporter
from services.intake.model.upload import Upload, fault_of_bytes
from services.intake.settings import SETTINGS
from services.kit.identity import Actor
from services.kit.procedure.forms import faults_of_form
from services.kit.procedure.model import Channel, Pack

SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Material:
    """What a party or a clerk brings; `internal`: source material of a report, only for the 副卷."""

    material_id: str
    name: str
    checklist_item: str = ""
    sha256: str = ""
    size: int = 0
    copies: int = 1
    internal: bool = False


@dataclass(frozen=True)
class Defect:
    """What a filing lacks; without a checklist item it is about the form's content."""

    checklist_item: str
    detail: str


@dataclass(frozen=True)
class Draft:
    """A filing as it is handed in, or what a correction puts in: then content None stays as it is."""

    body_id: str = ""
    procedure_id: str = ""
    channel: str = ""
    title: str = ""
    cause: str = ""
    amount_in_dispute_fen: int = 0
    submitted_on: str = ""
    parties: tuple[Party, ...] = ()
    materials: tuple[Material, ...] = ()
    content: Mapping[str, Any] | None = None
    reporter: Reporter | None = None

    @property
    def received_on(self) -> date | None:
        """The day that was filled in, if it is one."""
        try:
            return date.fromisoformat(self.submitted_on)
        except ValueError:
            return None

    @property
    def open_texts(self) -> dict[str, str]:
        """Pointer -> text of the parts that are not kept in the 副卷."""
        names = {pointer("materials", i, "name"): m.name for i, m in enumerate(self.materials) if not m.internal}
        content = {pointer("content", key): str(value) for key, value in (self.content or {}).items()}
        return {"/title": self.title, "/cause": self.cause} | names | content


@dataclass(frozen=True)
class Filing:
    """A filing in the register. `submitted_by`: the party's account, or the person of staff who took it in.

    `state`: submitted, deficient, accepted, declined. `defects`: told by a notice, not yet corrected.
    `open_items`: checklist items missing as of the last change.
    """

    filing_id: str
    state: str = "submitted"
    submitted_by: str = ""
    reported_by_name: bool = False
    content: Mapping[str, Any] = field(default_factory=dict)
    defects: tuple[Defect, ...] = ()
    open_items: tuple[Defect, ...] = ()


@dataclass(frozen=True)
class Standard:
    """By what a filing is judged: its pack and channel, who acts, the body and its legal date, what was uploaded.

    `standing`: materials in the filing already: their files are not asked about again, what is paper stays paper.
    """

    pack: Pack
    channel: Channel
    actor: Actor
    body_id: str
    on: date
    uploads: Sequence[Upload] = ()
    standing: Sequence[Material] = ()

    @property
    def admits_actor(self) -> bool:
        """Whether the pack lets the actor use the channel."""
        if self.actor.kind == "party":
            return bool({"party", "reporter"} & set(self.channel.who))
        return self.actor.has(*self.channel.who)

    @property
    def from_reporter(self) -> bool:
        """Whether the actor comes as a reporter, not as a party."""
        return self.actor.kind == "party" and "party" not in self.channel.who

    def sent(self) -> Mapping[str, Sequence[Upload]]:
        """By hash the uploads that archive will open in this filing: to the body, or of who files in the own name."""
        found: dict[str, list[Upload]] = defaultdict(list)
        for upload in self.uploads:
            if upload.body_id == self.body_id or (upload.own and not self.from_reporter):
                found[upload.sha256].append(upload)
        return found

    @property
    def known(self) -> dict[str, int]:
        """By hash the size of the files that stand in the filing."""
        return {m.sha256: m.size for m in self.standing if m.sha256}

    def sized(self, materials: Iterable[Material]) -> Iterator[Material]:
        """The same with the sizes that were left out, as far as the files are known."""
        sizes = {sha256: u.size for sha256, found in self.sent().items() for u in found if u.stored} | self.known
        yield from (replace(m, size=m.size or sizes.get(m.sha256, 0)) for m in materials)


def faults_of(draft: Draft, by: Standard) -> Iterator[Fault]:
    """Everything that is wrong with a draft; the pack lets the actor use the channel."""
    if not draft.title.strip():
        yield Fault("/title", "请填写案件名称")
    for at, text in (("/title", draft.title), ("/cause", draft.cause)):
        if len(text) > SETTINGS.longest_title:
            yield Fault(at, f"不得超过{SETTINGS.longest_title}个字")
    if draft.amount_in_dispute_fen < 0:
        yield Fault("/amount_in_dispute_fen", "标的额不能为负数")
    yield from _faults_of_day(draft, by)
    if draft.reporter and not by.channel.reporter:
        yield Fault("/reporter", "此来源没有举报人：当事人请填写在当事人处")
    yield from faults_of_rows(replace(draft, content=draft.content or {}), draft.reporter, by)
    yield from faults_of_all(draft.parties, by.pack)
    mine = any(by.actor.account_id in p.account_ids for p in draft.parties)
    if by.actor.kind == "party" and not mine and not by.from_reporter:
        yield Fault("/parties", "提交人应当是当事人本人或者其代理人：请在相应当事人处关联本人账户")


def faults_of_rows(draft: Draft, reporter: Reporter | None, by: Standard) -> Iterator[Fault]:
    """What is wrong with the single parties and materials, and with the content unless it is None."""
    if len(draft.parties) > SETTINGS.most_parties or len(draft.materials) > SETTINGS.most_materials:
        yield Fault("", f"一次至多登记当事人{SETTINGS.most_parties}名、材料{SETTINGS.most_materials}份")
    yield from faults_of_each(draft.parties, by.pack, by.on)
    yield from _faults_of_accounts(draft.parties, by.actor)
    yield from _faults_of_materials(draft.materials, by)
    if draft.content is not None:
        yield from _faults_of_content(draft.content, by)
    if reporter:
        yield from faults_of_reporter(reporter, draft.parties, draft.open_texts)


def _faults_of_day(draft: Draft, by: Standard) -> Iterator[Fault]:
    if draft.submitted_on and not draft.received_on:
        yield Fault("/submitted_on", "日期应写成 2025-01-31 的样子")
    elif draft.received_on and draft.received_on > by.on:
        yield Fault("/submitted_on", f"收到日期不能晚于今天（{by.on}）")
    elif draft.received_on and draft.received_on != by.on and by.actor.kind == "party":
        yield Fault("/submitted_on", "网上提交以提交当日为准，不能填写其他日期")


def _faults_of_accounts(parties: Sequence[Party], actor: Actor) -> Iterator[Fault]:
    # whoever is linked sees the case: a party may link nobody but itself
    if actor.kind != "party":
        return
    for place, party in enumerate(parties):
        if party.account_ids - {actor.account_id}:
            yield Fault(pointer("parties", place), "只能关联本人的账户；其他人的账户由立案人员核对后关联")


def faults_of_others_rows(known: Sequence[Party], sent: Sequence[Party], actor: Actor) -> Iterator[Fault]:
    """A party changes its own rows and those behind which nobody stands, and slips into none of them."""
    rows = {p.party_id: p.account_ids for p in known if actor.kind == "party"}
    for place, party in enumerate(sent):
        linked = rows.get(party.party_id)
        if linked is None or actor.account_id in linked:
            continue
        if linked:
            yield Fault(pointer("parties", place), "该当事人已关联账户，其登记内容由其本人或者立案人员更改")
        elif actor.account_id in party.account_ids:
            yield Fault(pointer("parties", place), "不能把本人的账户关联到已登记的其他当事人，请由立案人员核对后关联")


def _faults_of_materials(materials: Sequence[Material], by: Standard) -> Iterator[Fault]:
    items = {item.id for item in by.pack.checklist}
    open_to_all = by.actor.kind == "party" and not by.channel.reporter
    for place, material in enumerate(materials):
        at = ("materials", place)
        if not material.name.strip():
            yield Fault(pointer(*at, "name"), "请填写材料名称")
        if material.checklist_item and material.checklist_item not in items:
            yield Fault(pointer(*at, "checklist_item"), f"收件清单中没有“{material.checklist_item}”")
        if material.size < 0:
            yield Fault(pointer(*at, "size"), "文件大小不能为负数")
        if material.copies < 1:
            yield Fault(pointer(*at, "copies"), "份数至少为1")
        if material.internal and open_to_all:
            yield Fault(pointer(*at, "internal"), "当事人提交的材料入正卷，不能标为副卷材料")
    yield from _faults_of_files(materials, by)


def _faults_of_files(materials: Sequence[Material], by: Standard) -> Iterator[Fault]:
    """Whether the bytes have come, and are as many as is said; paper has none."""
    sent, known = by.sent(), by.known
    paper = {m.material_id for m in by.standing if not m.sha256}
    for place, material in enumerate(materials):
        fault: tuple[str, str] | None = None
        if not material.sha256 and by.actor.kind == "party" and material.material_id not in paper:
            fault = "sha256", "网上提交的材料须先上传文件；纸质材料请到立案窗口提交"
        elif not material.sha256 and material.size > 0:
            fault = "size", "纸质材料没有文件，不填写文件大小"
        elif material.sha256 and not SHA256.fullmatch(material.sha256):
            fault = "sha256", "文件指纹应为64位小写十六进制数（SHA-256）"
        elif material.sha256 in known and material.size != known[material.sha256]:
            fault = "size", f"与已提交文件的大小（{known[material.sha256]}字节）不符"
        elif material.sha256 and material.sha256 not in known:
            fault = fault_of_bytes(material.size, sent.get(material.sha256, ()))
        if fault:
            yield Fault(pointer("materials", place, fault[0]), fault[1])


def _faults_of_content(content: Mapping[str, Any], by: Standard) -> Iterator[Fault]:
    schema = by.pack.forms.get(by.channel.form)
    if schema is not None:
        yield from (Fault("/content" + f["pointer"], f["detail"]) for f in faults_of_form(schema, content))
    elif content:
        yield Fault("/content", "此来源没有需要填写的表单")


def open_content(content: Mapping[str, Any], pack: Pack, channel: str) -> dict[str, Any]:
    """The content without what the form keeps in the 副卷 (x-internal)."""
    schema = pack.forms.get(pack.channels[channel].form, {})
    fields = schema.get("properties", {})
    return {name: value for name, value in content.items() if not fields.get(name, {}).get("x-internal")}
