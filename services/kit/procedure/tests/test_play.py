"""Examples are plays: what they state by hand is what the law's data give, and nothing less would pass."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from services.kit.procedure.bundle import load_folder
from services.kit.procedure.model import Pack
from services.kit.procedure.play import PlayError, play
from services.kit.procedure.tests.drawing import pack
from services.kit.procedure.tests.mutants import mutants, survives
from services.kit.settings import procedures_dir


@pytest.mark.parametrize("folder", sorted(p.parent for p in procedures_dir().glob("*/pack.yaml")), ids=lambda p: p.name)
def test_every_change_of_the_law_fails_an_example(folder: Path) -> None:
    whole = load_folder(folder)
    found = dict(mutants(whole))
    assert len(found) >= len(whole.time_limits) * 2 + len(whole.effects)
    assert [name for name, mutant in found.items() if survives(name, mutant)] == []


@pytest.fixture(scope="module")
def penalty_pack() -> Pack:
    return load_folder(procedures_dir() / "admin-penalty-general")


def _script(penalty_pack: Pack, name: str = "report-docketed") -> dict[str, Any]:
    return copy.deepcopy(penalty_pack.examples[f"{name}.case.yaml"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda e: e.update(end="not_docketed"), "end 应为"),
        (lambda e: e["path"].pop(), "path 应为"),
        (lambda e: e["clocks"].pop(), "clocks 应为"),
        (lambda e: e["clocks"][0].update(provisional=True), "clocks 应为"),
        (lambda e: e["numbers"].update(docket="滨市监立案〔2025〕2号"), "numbers 应为"),
        (lambda e: e["effects"].pop("tell"), "effects 应为"),
        (lambda e: e["effects"]["assign"].update(officers=["@li", "@zhang"]), "effects 应为"),
        (lambda e: e.update(cards=[{"level": "red", "limit": "samr-verify-clue"}]), "cards 应为"),
    ],
)
def test_every_part_of_the_expectation_is_compared(penalty_pack: Pack, change: Any, words: str) -> None:
    script = _script(penalty_pack)
    change(script["expect"])
    with pytest.raises(PlayError, match=words) as caught:
        play(penalty_pack, script)
    assert caught.value.act == -1


def test_an_effect_that_is_refused_reopens_the_node_and_is_not_asked_twice(penalty_pack: Pack) -> None:
    script = _script(penalty_pack, "inspection-not-docketed")
    last = script["acts"][-1]
    refused = {
        **last,
        "effects": {"refuse_docketing": {"refused": "须先补正"}},
        "refused": "rule-refused",
        "says": "补正",
    }
    script["acts"][-1:] = [refused, last]
    player = play(penalty_pack, script)
    assert player.told.refusals == 4
    del script["acts"][-1]
    with pytest.raises(PlayError, match="没有走到结束，还停在 docketing_approval"):
        play(penalty_pack, script)


def test_an_act_that_should_be_refused_must_be(penalty_pack: Pack) -> None:
    script = _script(penalty_pack, "inspection-not-docketed")
    script["acts"][1]["refused"] = "conflict"
    with pytest.raises(PlayError, match="本应被拒绝") as caught:
        play(penalty_pack, script)
    assert caught.value.act == 1


SERVED = """start s
task send answer
wait all_served
race r
catch answered expired
end e late
s -> send -> all_served -> r
r -> answered -> answer -> e
r -> expired -> late"""


def _serving(**changes: Any) -> Pack:
    served = {"event": "InstrumentServed", "quorum": "all", "of": "case.parties.map(p, p.party_id)",
              "key": "event.party_id", "from": "case"}  # fmt: skip
    rules: dict[str, dict[str, Any]] = {
        "send": {"actor": {"role": "clerk"}, "form": "nothing",
                 "effects": [{"id": "issue", "effect": "issue_instrument", "with": {"instrument": "civil-notice"}}]},
        "answer": {"actor": {"role": "clerk"}, "form": "nothing"},
        "all_served": {"waits_for": served},
        "answered": {"waits_for": {"event": "PagesReceived"}},
        "expired": {"waits_for": {"event": "TimeLimitExpired", "match": "event.limit_id == 'civil-defence'"}},
    }  # fmt: skip
    limit = {"limit": "civil-defence", "scope": "party", "rank": 1, "starts": [{"event": "InstrumentServed"}],
             "stops": [{"event": "PagesReceived"}]}  # fmt: skip
    made = {"id": "civil-notice", "title": "通知", "template": "templates/x.docx", "volume": {"id": "main", "seq": 1},
            "fields": {"日期": "=act.legal_on"}}  # fmt: skip
    law = load_folder(procedures_dir() / "admin-penalty-general").deadlines["samr-verify-clue"]
    defence = {**law, "id": "civil-defence", "unit": "calendar-day", "extensions": [], "exclusions": []}
    channels = {"transfer": {"who": ["clerk"]}}
    parts: dict[str, Any] = {"time_limits": [limit], "instruments": [made], "deadlines": {"civil-defence": defence},
                             "channels": channels}  # fmt: skip
    return pack(SERVED, rules, ends={"e": {"title": "e"}, "late": {"title": "late"}}, **(parts | changes))


def _acts(*acts: dict[str, Any]) -> dict[str, Any]:
    parties = [{"party_id": p, "role": "defendant", "kind": "natural_person", "name": p} for p in ("p1", "p2")]
    filing = {
        "on": "2025-03-03",
        "do": "file",
        "who": "c",
        "filing": {"channel": "transfer", "title": "t", "parties": parties},
    }
    return {"title": "t", "body": {"name": "b", "code": "粤0703"}, "people": {"c": {"name": "c", "roles": ["clerk"]}},
            "acts": [filing, *acts]}  # fmt: skip


def _event(on: str, kind: str, **data: Any) -> dict[str, Any]:
    return {"on": on, "do": "event", "event": kind, "data": data}


SEND = {"on": "2025-03-04", "do": "complete", "who": "c", "node": "send"}


def _expect(end: str, path: list[str], clocks: list[dict[str, str]]) -> dict[str, Any]:
    return {"expect": {"end": end, "path": path, "clocks": clocks, "effects": {"issue": {"instrument": "civil-notice"}},
                       "instruments": {"civil-notice": {"日期": "2025-03-04"}}}}  # fmt: skip


def test_one_clock_a_party_facts_before_the_wait_count_and_expiry_wins_the_race() -> None:
    early = _event("2025-03-03", "InstrumentServed", party_id="p1")
    clocks = [{"limit": "civil-defence", "key": "p1", "due_on": "2025-03-18", "state": "overdue"},
              {"limit": "civil-defence", "key": "p2", "due_on": "2025-03-20", "state": "running"}]  # fmt: skip
    script = _acts(
        early, SEND, _event("2025-03-05", "InstrumentServed", party_id="p2"), _event("2025-03-19", "CaseAssigned")
    )
    play(_serving(), script | _expect("late", ["send", "all_served", "expired"], clocks))


def test_the_answer_wins_the_race_and_stops_every_clock() -> None:
    stopped = [{"limit": "civil-defence", "key": p, "due_on": d, "state": "stopped", "stopped_on": "2025-03-10"}
               for p, d in (("p2", "2025-03-20"), ("p1", "2025-03-20"))]  # fmt: skip
    served = [_event("2025-03-05", "InstrumentServed", party_id=p) for p in ("p2", "p1")]
    answer = {"on": "2025-03-11", "do": "complete", "who": "c", "node": "answer"}
    script = _acts(SEND, *served, _event("2025-03-10", "PagesReceived"), answer)
    play(_serving(), script | _expect("e", ["send", "all_served", "answered", "answer"], stopped))


def test_a_limit_in_hours_runs_out_on_the_minute() -> None:
    hours = {
        "limit": "civil-defence",
        "scope": "case",
        "rank": 1,
        "starts": [{"event": "InstrumentServed"}],
        "stops": [],
    }
    law = {**_serving().deadlines["civil-defence"], "unit": "hour", "amount": 24, "end_day_rule": "no-roll-hours"}
    whole = _serving(time_limits=[hours], deadlines={"civil-defence": law})
    served = [{**_event("2025-03-05", "InstrumentServed", party_id=p), "at": "09:30"} for p in ("p1", "p2")]
    due = [{"limit": "civil-defence", "due_at": "2025-03-06T10:00:00+08:00", "state": "overdue"}]
    for at, state in (("09:59", "running"), ("10:01", "overdue")):
        script = _acts(SEND, *served, {**_event("2025-03-06", "CaseAssigned"), "at": at})
        expected = _expect("late", ["send", "all_served", "expired"], due)
        if state == "overdue":
            play(whole, script | expected)
        else:
            with pytest.raises(PlayError, match="还停在 answered、expired"):
                play(whole, script | expected)
