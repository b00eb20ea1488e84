"""How parties stand in a court's instrument and in a bureau's. Pure."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.documents.model.case import Body, Case
from services.documents.model.fields import values
from services.documents.tests.packs import FORM, JUDGMENT, bundle
from services.kit.procedure.bundle import load_bundle

FIRM: dict[str, Any] = {
    "party_id": "1", "kind": "organisation", "name": "江门甲公司", "id_number": "91440703MA5EXAMP0X",
    "address": "江门市建设路1号", "phone": "0750-1234567", "representatives": [
        {"name": "林国栋", "kind": "legal_representative"}, {"name": "周明", "kind": "lawyer"},
    ],
}  # fmt: skip
ZHAO: dict[str, Any] = {"party_id": "2", "kind": "natural_person", "name": "赵一", "id_number": "440703199001011239",
        "address": "江门市东华路2号", "representatives": [{"name": "赵父", "kind": "guardian"}]}  # fmt: skip
TRAVELLER: dict[str, Any] = {"party_id": "3", "kind": "natural_person", "name": "John Doe", "id_number": "E1234567"}
SUIT = """原告：江门甲公司，住所地江门市建设路1号，统一社会信用代码91440703MA5EXAMP0X。
法定代表人：林国栋。
委托诉讼代理人：周明，律师。
被告：赵一，男，1990年1月1日出生，住江门市东华路2号，公民身份号码440703199001011239。
法定代理人：赵父。
第三人：John Doe，身份证件号码E1234567。"""


def said(kind: str, instrument: str, roles: list[str]) -> Any:
    pack, filed = load_bundle(bundle(kind)), [FIRM, ZHAO, TRAVELLER]
    told = [{"party_id": p["party_id"], "name": p["name"], "role": r} for p, r in zip(filed, roles, strict=False)]
    card: dict[str, Any] = {"officer_ids": [], "panel_ids": [], "department_id": "", "case_number": "", "cause": "",
                            "title": "", "party_account_ids": [], "parties": told}  # fmt: skip
    case = Case("c", Body("b", "某机关", kind, "粤0703"), ("p", "1"), card, {"parties": filed})
    rule = next(r for r in pack.instruments if r.id == instrument)
    return values(pack, rule, case, {}, date(2025, 3, 3), "")["当事人"]


def test_a_court_names_each_party_by_its_role_in_the_suit() -> None:
    assert said("court", JUDGMENT, ["plaintiff", "defendant", "third_party"]) == SUIT


def test_a_bureau_names_its_party_by_what_identifies_it() -> None:
    assert said("bureau", FORM, ["respondent"]) == (
        "江门甲公司，统一社会信用代码：91440703MA5EXAMP0X，住所（住址）：江门市建设路1号，联系电话：0750-1234567，"
        "法定代表人（负责人）：林国栋，委托诉讼代理人：周明"
    )


def test_only_accounts_that_the_register_names_stand_behind_a_party() -> None:
    """The filing names whom its filer wished; the card those of them whom a counter has confirmed."""
    filed = {"party_id": "1", "representatives": [{"account_id": "acc-lawyer"}, {"account_id": "acc-clerk"}]}
    told = {"party_id": "1", "name": "江门甲公司", "role": "plaintiff", "account_id": "acc-firm"}
    card = {"parties": [told], "party_account_ids": ["acc-firm", "acc-lawyer", "acc-other"]}
    [firm] = Case("c", Body("b", "某机关", "court", "粤0703"), ("p", "1"), card, {"parties": [filed]}).parties
    assert firm.account_ids == ("acc-firm", "acc-lawyer")
