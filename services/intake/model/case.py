"""The case register: one case with its filing, and what may become of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from operator import attrgetter
from typing import Any, TypeVar

from services.intake.model.fault import Fault, pointer
from services.intake.model.filing import Defect, Draft, Filing, Material
from services.intake.model.people import Party
from services.kit.errors import RuleRefusedError, require_version
from services.kit.procedure.model import Pack

STATES = {
    "received": "尚未受理", "accepted": "已受理", "docketed": "已立案", "declined": "已决定不予受理",
    "not_docketed": "已决定不予立案", "closed": "已结案",
}  # fmt: skip
# act -> the states of the case in which the law allows it, and its name
ACTS = {
    "accept": (("received",), "受理"),
    "decline": (("received",), "决定不予受理"),
    "notify": (("received",), "告知补正"),
    "correct": (("received",), "补正"),
    "docket": (("received", "accepted"), "立案"),
    "refuse": (("received", "accepted"), "决定不予立案"),
    "close": (("docketed",), "结案"),
    "answer": (("received", "accepted"), "答复"),
}
Row = TypeVar("Row", Party, Material)
PARTY_ID, MATERIAL_ID = attrgetter("party_id"), attrgetter("material_id")


@dataclass(frozen=True)
class Case:
    """One row of the register with everything that hangs on it; each change makes a new one.

    `state`: received, accepted, docketed, closed; declined and not_docketed are ends. `version` counts the
    changes of case and filing together.
    """

    case_id: str
    body_id: str
    procedure_id: str
    pack_version: str
    case_type_code: str
    channel: str
    title: str
    cause: str
    amount_in_dispute_fen: int
    state: str
    received_on: date
    filing: Filing
    parties: tuple[Party, ...] = ()
    materials: tuple[Material, ...] = ()
    case_number: str | None = None
    docketed_on: date | None = None
    closed_on: date | None = None
    disposition: str = ""
    secrecy_level: int = 0
    sealed: bool = False
    version: int = 1

    @classmethod
    def receive(cls, draft: Draft, pack: Pack, case_id: str, filing: Filing, on: date) -> Case:
        """收案: the filing is in, nothing is decided."""
        return cls(
            case_id=case_id, body_id=draft.body_id, procedure_id=pack.id, pack_version=pack.version,
            case_type_code=pack.case_type_code, channel=draft.channel, title=draft.title.strip(), cause=draft.cause,
            amount_in_dispute_fen=draft.amount_in_dispute_fen, state="received", received_on=draft.received_on or on,
            filing=filing, parties=draft.parties, materials=draft.materials, secrecy_level=pack.secrecy_level,
        )  # fmt: skip

    @property
    def pack(self) -> tuple[str, str]:
        """Pinned pack: id and version."""
        return self.procedure_id, self.pack_version

    @property
    def involves_minor(self) -> bool:
        """Whether a party was under eighteen when the case came in."""
        return any(p.is_minor(self.received_on) for p in self.parties)

    @property
    def account_ids(self) -> frozenset[str]:
        """The accounts that stand behind its parties."""
        return frozenset[str]().union(*(p.account_ids for p in self.parties))

    @property
    def facts(self) -> dict[str, Any]:
        """What a pack's conditions may ask of `case`."""
        return {
            "case_id": self.case_id, "body_id": self.body_id, "procedure_id": self.procedure_id,
            "filing_id": self.filing.filing_id, "state": self.state, "secrecy_level": self.secrecy_level,
            "involves_minor": self.involves_minor, "channel": self.channel, "title": self.title, "cause": self.cause,
            "amount_in_dispute_fen": self.amount_in_dispute_fen, "received_on": self.received_on.isoformat(),
            "reported_by_name": self.filing.reported_by_name, "content": dict(self.filing.content),
            "parties": [asdict(p) for p in self.parties],
        }  # fmt: skip

    def at(self, version: int) -> Case:
        """This case, if it is the version that the caller has read.

        Raises:
            PreconditionError: it has moved on.
            VersionMissingError: no version was named.
        """
        require_version(version, self.version, "登记内容已被他人更新，请刷新后再改")
        return self

    def may(self, act: str) -> None:
        """Raises RuleRefusedError unless the act is open in this state."""
        states, name = ACTS[act]
        if self.state not in states:
            raise RuleRefusedError(f"案件{STATES[self.state]}，不能{name}")

    def _answered(self, act: str) -> None:
        self.may(act)
        if self.filing.state == "deficient":
            raise RuleRefusedError(f"补正告知后尚未补正，不能{ACTS[act][1]}")

    def _now(self, filing_state: str = "", **changes: Any) -> Case:
        if filing_state:
            changes["filing"] = replace(self.filing, state=filing_state, defects=())
        return replace(self, version=self.version + 1, **changes)

    def accepted(self) -> Case:
        """受理."""
        self._answered("accept")
        return self._now("accepted", state="accepted")

    def declined(self) -> Case:
        """不予受理: an end."""
        self.may("decline")
        return self._now("declined", state="declined")

    def notified(self, defects: Sequence[Defect]) -> Case:
        """The filing waits for correction of these defects."""
        self.may("notify")
        if self.filing.state == "deficient":
            raise RuleRefusedError("上一次补正告知后尚未补正，不能再次告知")
        return self._now(filing=replace(self.filing, state="deficient", defects=tuple(defects)))

    def may_docket(self, on: date) -> None:
        """Raises RuleRefusedError unless it may be docketed as of that day."""
        self._answered("docket")
        if on < self.received_on:
            raise RuleRefusedError(f"立案日期（{on}）不能早于收案日期（{self.received_on}）")

    def docketed(self, case_number: str, on: date) -> Case:
        """立案: the number is allotted; a filing not yet accepted is accepted by it."""
        self.may_docket(on)
        return self._now("accepted", state="docketed", case_number=case_number, docketed_on=on)

    def refused(self, case_number: str | None = None) -> Case:
        """不予立案: an end; where the refusal is a ruling it is numbered."""
        self.may("refuse")
        return self._now("declined", state="not_docketed", case_number=case_number)

    def closed(self, on: date, disposition: str) -> Case:
        """结案."""
        self.may("close")
        if self.docketed_on and on < self.docketed_on:
            raise RuleRefusedError(f"结案日期（{on}）不能早于立案日期（{self.docketed_on}）")
        return self._now(state="closed", closed_on=on, disposition=disposition)

    def answered(self, on: date, disposition: str) -> Case:
        """A request of another body is decided; it is never docketed."""
        self.may("answer")
        return self._now(state="closed", closed_on=on, disposition=disposition)

    def corrected(
        self, parties: Sequence[Party], materials: Sequence[Material], content: Mapping[str, Any] | None
    ) -> Case:
        """补正: rows are put in, the content is replaced unless it is None."""
        self.may("correct")
        filing = self.filing if content is None else replace(self.filing, content=content)
        return self._now(
            parties=put_in(self.parties, parties, PARTY_ID), materials=put_in(self.materials, materials, MATERIAL_ID),
            filing=filing,
        )  # fmt: skip

    def lacking(self, open_items: Sequence[Defect], defects: Sequence[Defect] = ()) -> Case:
        """Weighed against the checklist and the last notice; with no told defect left the filing is whole again."""
        state = "deficient" if defects else "submitted"
        filing = replace(self.filing, state=state, open_items=tuple(open_items), defects=tuple(defects))
        return replace(self, filing=filing)

    def amended(self, title: str, cause: str, parties: Sequence[Party]) -> Case:
        """更正登记: what is empty stays as it is."""
        return self._now(
            title=title.strip() or self.title, cause=cause or self.cause,
            parties=put_in(self.parties, parties, PARTY_ID),
        )  # fmt: skip


def put_in(rows: Sequence[Row], changed: Sequence[Row], key: Callable[[Row], str]) -> tuple[Row, ...]:
    """Rows of the same id replaced in their place, new ones behind."""
    fresh = {key(row): row for row in changed}
    known = {key(row) for row in rows}
    return tuple(fresh.get(key(row), row) for row in rows) + tuple(r for r in changed if key(r) not in known)


def unknown_ids(rows: Sequence[Row], changed: Sequence[Row], key: Callable[[Row], str], name: str) -> Iterator[Fault]:
    """A row that names an id must be there already; new rows have none. `name`: parties or materials."""
    known = {key(row) for row in rows}
    for place, row in enumerate(changed):
        if key(row) and key(row) not in known:
            yield Fault(pointer(name, place), "没有这一行，新增的请不要填写编号")


def differences(before: Case, after: Case) -> dict[str, dict[str, Any]]:
    """JSON pointer -> old and new value of what an amendment has changed; new parties have no old value."""
    old, new = _amendable(before), _amendable(after)
    return {at: {"old": old.get(at), "new": value} for at, value in new.items() if old.get(at) != value}


def _amendable(case: Case) -> dict[str, Any]:
    rows = {pointer("parties", p.party_id, name): value for p in case.parties for name, value in asdict(p).items()}
    return {"/title": case.title, "/cause": case.cause} | rows
