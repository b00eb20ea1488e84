"""立案: numbers without gap or double, under everything that runs at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

from sqlalchemy import select

from anjuan.intake.v1.intake_pb2 import SubmitFilingAnswer
from services.intake import tables
from services.intake.tests.scene import (
    BUREAU,
    BUREAU_PACK,
    CLERK,
    COURT,
    COURT_PACK,
    OFFICER,
    UPPER,
    Scene,
    bundle,
    civil,
    report,
)
from services.intake.usecases.docket import docket
from services.kit import clock
from services.kit.effects import EffectCall
from services.kit.identity import system
from services.kit.numbers import check_case_number

AT_ONCE, ROLLING_BACK = 64, 20
LAST_DAY, NEW_YEAR = date(2025, 12, 31), date(2026, 1, 1)


class ChangedMindError(Exception):
    """A transaction that ends badly after its number was allotted."""


def lead(scene: Scene) -> SubmitFilingAnswer:
    filing = report(channel="ex_officio")
    filing.ClearField("reporter")
    return scene.submits(filing, OFFICER)


def test_a_court_case_gets_its_number(scene: Scene) -> None:
    first, second = scene.submits(civil()), scene.submits(civil())
    assert scene.asks("docket", first) == {"case_number": "（2025）粤0703民初1号", "docketed_on": "2025-03-03"}
    assert scene.asks("docket", second)["case_number"] == "（2025）粤0703民初2号"
    fact = scene.told(first.case_id)[-1]
    assert (fact.type, fact.data.case_number, fact.data.card.state) == (
        "CaseDocketed",
        "（2025）粤0703民初1号",
        "docketed",
    )
    with scene.begin(CLERK) as uow:
        case = uow.cases.get(first.case_id)
    assert (case.state, case.filing.state, case.docketed_on) == ("docketed", "accepted", date(2025, 3, 3))


def test_a_bureaus_number_follows_the_packs_pattern(scene: Scene) -> None:
    assert scene.asks("docket", lead(scene))["case_number"] == "江市监立案〔2025〕1号"
    assert scene.asks("docket", lead(scene))["case_number"] == "江市监立案〔2025〕2号"


def test_each_body_series_and_year_counts_for_itself(scene: Scene) -> None:
    scene.publish(bundle(COURT_PACK, id="enforce", case_type_code="执"), "enforce")
    numbers = [
        scene.asks("docket", scene.submits(civil(procedure_id=pack)), on)["case_number"]
        for pack, on in (("civil", LAST_DAY), ("enforce", LAST_DAY), ("civil", NEW_YEAR), ("civil", LAST_DAY))
    ]
    assert numbers == ["（2025）粤0703民初1号", "（2025）粤0703执1号", "（2026）粤0703民初1号", "（2025）粤0703民初2号"]
    assert scene.asks("docket", lead(scene))["case_number"] == "江市监立案〔2025〕1号"
    with scene.begin(CLERK) as uow:
        rows = uow.connection.execute(select(tables.number_series).order_by("body_id", "series", "year")).all()
    assert [tuple(row) for row in rows] == [
        (BUREAU, "docket", 2025, 1), (COURT, "执", 2025, 1), (COURT, "民初", 2025, 2), (COURT, "民初", 2026, 1),
    ]  # fmt: skip


def test_the_year_is_that_of_docketing_not_of_receipt(scene: Scene) -> None:
    """docs/decisions/0004: handed in on 31 December, docketed in January."""
    scene.moves(COURT, LAST_DAY)
    late = scene.submits(civil())
    scene.moves(COURT, NEW_YEAR)
    assert scene.asks("docket", late, NEW_YEAR)["case_number"] == "（2026）粤0703民初1号"
    with scene.begin(CLERK) as uow:
        case = uow.cases.get(late.case_id)
    assert (case.received_on, case.docketed_on) == (LAST_DAY, NEW_YEAR)


def test_review_numbers_are_drawn(scene: Scene) -> None:
    scene.publish(bundle(COURT_PACK, id="review", case_type_code="刑核"), "review")
    one, two = (scene.asks("docket", scene.submits(civil(procedure_id="review")))["case_number"] for _ in "ab")
    assert one != two
    assert {len(str(check_case_number(number).serial)) for number in (one, two)} == {8}


def test_what_cannot_be_docketed_is_refused_and_uses_no_number(scene: Scene) -> None:
    case = scene.submits(civil())
    assert "不能早于收案日期" in scene.asks("docket", case, date(2025, 3, 2))["refused"]
    assert scene.asks("docket", case)["case_number"] == "（2025）粤0703民初1号"
    assert scene.asks("docket", case) == {"refused": "案件已立案，不能立案"}


def test_a_procedure_that_does_not_docket_gives_no_number(scene: Scene) -> None:
    small = BUREAU_PACK["pack"] | {"id": "small", "kind": "any", "channels": {"request": {"who": ["case_officer"]}}}
    del small["docketing_number"]
    scene.publish(bundle(BUREAU_PACK | {"pack": small}), "small")
    asked = report(channel="request", procedure_id="small", body_id=UPPER, materials=[])
    asked.ClearField("reporter")
    case = scene.submits(asked, OFFICER)
    assert scene.asks("docket", case) == {"refused": "“行政处罚”不立案，没有案号"}
    with scene.begin(CLERK) as uow:
        assert uow.connection.execute(select(tables.number_series)).all() == []


def in_crowd(scene: Scene, cases: list[SubmitFilingAnswer], fails: Callable[[int], bool]) -> list[str]:
    """All cases docketed at the same moment, each in its own thread and transaction."""
    gate = Barrier(len(cases))

    def one(place: int) -> str:
        asked = EffectCall(clock.new_id(), "docket", cases[place].case_id, COURT, date(2025, 3, 3), ("civil", "1.0.0"),
                           "v", "review", {}, {})  # fmt: skip
        gate.wait()
        try:
            with scene.begin(system("test")) as uow:
                number = docket(scene.packs, uow, asked)["case_number"]
                if fails(place):
                    raise ChangedMindError
        except ChangedMindError:
            return ""
        return str(number)

    with ThreadPoolExecutor(len(cases)) as pool:
        return list(pool.map(one, range(len(cases))))


def serials(numbers: list[str]) -> list[int]:
    return sorted(check_case_number(number).serial for number in numbers if number)


def test_sixty_four_at_once(scene: Scene) -> None:
    cases = [scene.submits(civil()) for _ in range(AT_ONCE)]
    assert serials(in_crowd(scene, cases, lambda _: False)) == list(range(1, AT_ONCE + 1))


def test_sixty_four_at_once_of_which_twenty_roll_back(scene: Scene) -> None:
    cases = [scene.submits(civil()) for _ in range(AT_ONCE)]
    numbers = in_crowd(scene, cases, lambda place: place % 3 == 0 and place < 3 * ROLLING_BACK)
    failed = [case for case, number in zip(cases, numbers, strict=True) if not number]
    assert len(failed) == ROLLING_BACK
    assert serials(numbers) == list(range(1, AT_ONCE - ROLLING_BACK + 1))
    again = in_crowd(scene, failed, lambda _: False)
    assert serials([*numbers, *again]) == list(range(1, AT_ONCE + 1))
    with scene.begin(CLERK) as uow:
        kept = uow.connection.execute(select(tables.cases.c.case_number)).scalars().all()
    assert serials([str(number) for number in kept]) == list(range(1, AT_ONCE + 1))
