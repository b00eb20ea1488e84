"""Parties and their representatives; and the reporter, who never is a party."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.intake.model.fault import Fault, pointer
from services.kit.numbers import credit_code_fault, resident_id_fault
from services.kit.procedure.model import Pack

Steps = tuple[str | int, ...]

KINDS = {"natural_person": "自然人", "organisation": "法人或者其他组织"}
ID_KINDS = {"resident_id": "居民身份证", "uscc": "统一社会信用代码", "passport": "护照", "other": "其他证件"}
REPRESENTATIVES = {
    "lawyer": "律师", "legal_worker": "基层法律服务工作者", "legal_representative": "法定代表人",
    "guardian": "法定代理人", "relative": "近亲属", "employee": "工作人员",
    "recommended": "社区、单位或者社会团体推荐的公民",
}  # fmt: skip
MAJORITY = 18  # 民法典 第十七条; the birthday itself does not count yet (法释〔2006〕1号 第二条)


@dataclass(frozen=True)
class Representative:
    """Who acts for a party: 诉讼代理人, 法定代表人 …"""

    name: str
    kind: str
    id_number: str = ""
    account_id: str = ""


@dataclass(frozen=True)
class Party:
    """A party of a case in one role of the pack; `party_id` is empty until the register takes it in."""

    party_id: str
    role: str
    kind: str
    name: str
    id_kind: str = ""
    id_number: str = ""
    address: str = ""
    phone: str = ""
    account_id: str = ""
    representatives: tuple[Representative, ...] = ()

    @property
    def account_ids(self) -> frozenset[str]:
        """The accounts that stand behind the party: its own and its representatives'."""
        return frozenset({self.account_id, *(r.account_id for r in self.representatives)} - {""})

    def is_minor(self, on: date) -> bool:
        """Under eighteen on that day, as far as a good ID number tells."""
        if self.kind != "natural_person" or self.id_kind != "resident_id" or resident_id_fault(self.id_number):
            return False
        return self.id_number[6:14] >= f"{on.year - MAJORITY:04}{on:%m%d}"

    def masked(self) -> Party:
        """As other parties may see it: nothing by which a person is found or impersonated."""
        hidden = {"id_number": _mask(self.id_number), "phone": _mask(self.phone), "address": ""}
        silent = tuple(replace(r, id_number=_mask(r.id_number)) for r in self.representatives)
        return replace(self, representatives=silent, **hidden)


@dataclass(frozen=True)
class Reporter:
    """举报人. Without a name the report is anonymous."""

    name: str = ""
    phone: str = ""
    address: str = ""
    account_id: str = ""


def _mask(number: str) -> str:
    return f"{number[:3]}{'*' * (len(number) - 7)}{number[-4:]}" if len(number) > 7 else "*" * len(number)


def faults_of_each(parties: Sequence[Party], pack: Pack, on: date) -> Iterator[Fault]:
    """What is wrong with single parties, as of a legal date."""
    for place, party in enumerate(parties):
        at: Steps = ("parties", place)
        yield from _faults_of_role(party, pack, at)
        if party.kind not in KINDS:
            yield Fault(pointer(*at, "kind"), f"当事人类型应为{'、'.join(KINDS.values())}之一")
        if not party.name.strip():
            yield Fault(pointer(*at, "name"), "请填写当事人姓名或者名称")
        yield from _faults_of_identity(party, on, at)
        for inner, representative in enumerate(party.representatives):
            yield from _faults_of_representative(representative, on, (*at, "representatives", inner))


def links_of(sent: Sequence[Party], known: Sequence[Party], reporter: Reporter | None) -> dict[str, str]:
    """Pointer -> account that is linked to a row behind which it did not stand before."""
    before = {p.party_id: p.account_ids for p in known}
    found = {pointer("reporter", "account_id"): reporter.account_id} if reporter and reporter.account_id else {}
    for place, party in enumerate(sent):
        at: Steps = ("parties", place)
        rows = [(at, party.account_id)]
        rows += [((*at, "representatives", i), r.account_id) for i, r in enumerate(party.representatives)]
        old = before.get(party.party_id, frozenset()) | {""}
        found |= {pointer(*steps, "account_id"): account_id for steps, account_id in rows if account_id not in old}
    return found


def faults_of_all(parties: Sequence[Party], pack: Pack) -> Iterator[Fault]:
    """What is wrong with the parties of a case taken together."""
    for role, rule in pack.party_roles.items():
        present, label = sum(p.role == role for p in parties), _label(pack, role)
        if present < rule.min:
            yield Fault("/parties", f"至少应有{rule.min}名{label}，现有{present}名")
        if rule.max is not None and present > rule.max:
            yield Fault("/parties", f"{label}至多{rule.max}名，现有{present}名")
    seen: set[tuple[str, str]] = set()
    for party in parties:
        key = (party.role, party.id_number)
        if party.id_number and key in seen:
            yield Fault("/parties", f"{party.name}以同一地位填写了两次")
        seen.add(key)
    yield from _faults_of_sides(parties)


def _faults_of_sides(parties: Sequence[Party]) -> Iterator[Fault]:
    roles: dict[str, str] = {}
    for party in parties:
        for account_id in party.account_ids:
            if roles.setdefault(account_id, party.role) != party.role:
                yield Fault("/parties", f"{party.name}处关联的账户已关联在另一地位的当事人处，同一账户不能代表两方")


def _label(pack: Pack, role: str) -> str:
    return pack.labels.get("party_roles", {}).get(role, role)


def _faults_of_role(party: Party, pack: Pack, at: Steps) -> Iterator[Fault]:
    rule = pack.party_roles.get(party.role)
    if rule is None:
        allowed = "、".join(_label(pack, role) for role in pack.party_roles)
        yield Fault(pointer(*at, "role"), f"“{pack.title}”的当事人地位只有：{allowed}")
    elif rule.kinds and party.kind not in rule.kinds:
        kinds = "、".join(KINDS[kind] for kind in rule.kinds)
        yield Fault(pointer(*at, "kind"), f"{_label(pack, party.role)}应为{kinds}")


def _faults_of_identity(party: Party, on: date, at: Steps) -> Iterator[Fault]:
    if party.id_kind and party.id_kind not in ID_KINDS:
        yield Fault(pointer(*at, "id_kind"), f"证件类型应为{'、'.join(ID_KINDS.values())}之一")
    elif (party.kind, party.id_kind) in {("natural_person", "uscc"), ("organisation", "resident_id")}:
        yield Fault(pointer(*at, "id_kind"), f"{KINDS[party.kind]}的证件不能是{ID_KINDS[party.id_kind]}")
    elif bool(party.id_kind) != bool(party.id_number):
        missing = "id_number" if party.id_kind else "id_kind"
        yield Fault(pointer(*at, missing), "证件类型与证件号码应当一并填写")
    elif wrong := _number_fault(party.id_kind, party.id_number, on):
        yield Fault(pointer(*at, "id_number"), wrong)


def _number_fault(id_kind: str, number: str, on: date) -> str | None:
    if id_kind == "resident_id":
        return resident_id_fault(number, on)
    return credit_code_fault(number) if id_kind == "uscc" else None


def _faults_of_representative(one: Representative, on: date, at: Steps) -> Iterator[Fault]:
    if not one.name.strip():
        yield Fault(pointer(*at, "name"), "请填写代理人或者代表人姓名")
    if one.kind not in REPRESENTATIVES:
        yield Fault(pointer(*at, "kind"), f"代理人类型应为{'、'.join(REPRESENTATIVES.values())}之一")
    if one.id_number and (wrong := resident_id_fault(one.id_number, on)):
        yield Fault(pointer(*at, "id_number"), wrong)


def faults_of_reporter(reporter: Reporter, parties: Sequence[Party], texts: Mapping[str, str]) -> Iterator[Fault]:
    """A reporter is no party, and the open part of a filing must not name one. `texts`: pointer -> open text."""
    for place, party in enumerate(parties):
        if reporter.account_id and reporter.account_id in party.account_ids:
            yield Fault(pointer("parties", place, "account_id"), "举报人不是本案当事人，不能列为当事人或者其代理人")
    for where, text in texts.items():
        if reveals(reporter, text, parties):
            yield Fault(where, "此处不得出现举报人的姓名、电话（举报人信息只记入副卷）")


def reveals(reporter: Reporter, text: str, parties: Sequence[Party]) -> bool:
    """Whether a text names the reporter; a party's own name (张三丰超市) may contain the reporter's."""
    for party in parties:
        text = text.replace(party.name, "")
    name, phone = reporter.name.strip(), reporter.phone.strip()
    return (len(name) > 1 and name in text) or (len(phone) > 6 and phone in text)
