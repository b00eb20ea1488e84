"""People come in once, with rights that do not reach beyond the importer's own."""

from __future__ import annotations

import pytest

from anjuan.identity.v1 import identity_pb2 as pb
from services.identity import views
from services.identity.tests.scene import PASSWORD, Scene, appointed, person
from services.kit.errors import InvalidInputError, NotAllowedError, NotSignedInError

LICENCE = pb.Qualification(
    kind="law_enforcement_certificate", number="44070300123", valid_from="2022-01-01", valid_to="2026-12-31"
)


def test_twice_is_once(scene: Scene) -> None:
    two = [appointed("case_officer", department_id="legal"), appointed("judge")]
    sent = [person("anna", *two, qualifications=[LICENCE]), person("bert", appointed("registrar"))]
    before = len(scene.told("PersonChanged"))
    first = scene.bring_people(*sent)
    again = scene.bring_people(person("anna", *reversed(two), qualifications=[LICENCE]), sent[1])
    assert (first.created, first.unchanged, again.created, again.changed, again.unchanged) == (2, 0, 0, 0, 2)
    told = scene.told("PersonChanged")[before:]
    assert [fact["person"]["person_id"] for fact in told] == ["anna", "bert"]
    assert told[0]["person"]["qualifications"] == [
        {"kind": LICENCE.kind, "number": LICENCE.number, "valid_from": LICENCE.valid_from, "valid_to": LICENCE.valid_to}
    ]
    assert "sign_in" not in told[0]["person"]


def test_a_person_without_id_is_found_by_the_sign_in_name(scene: Scene) -> None:
    fresh = person("new", appointed("registrar"))
    fresh.person_id = ""
    scene.bring_people(fresh)
    again = scene.bring_people(fresh)
    assert again.unchanged == 1
    assert len(scene.ask("select 1 from people where sign_in = 'new'")) == 1


def test_a_password_that_was_set_is_kept(scene: Scene) -> None:
    scene.bring_people(person("officer", appointed("case_officer")), password="another-password")
    assert scene.sign_in("officer", PASSWORD).person_id == "officer"


def test_a_changed_name_signs_in_with_the_old_password(scene: Scene) -> None:
    renamed = person("officer", appointed("case_officer"))
    renamed.sign_in = "Officer.Two"
    scene.bring_people(renamed, password="")
    assert scene.sign_in("officer.two").person_id == "officer"
    with pytest.raises(NotSignedInError):
        scene.sign_in("officer")


@pytest.mark.parametrize(("change", "pointer"), [
    ({"body_id": "nowhere"}, "/people/0/body_id"), ({"sign_in": "a b"}, "/people/0/sign_in"),
    ({"sign_in": "110101199003070000"}, "/people/0/sign_in"), ({"sign_in": "second"}, "/people/0/sign_in"),
    ({"name": ""}, "/people/0/name"), ({"state": "asleep"}, "/people/0/state"),
    ({"appointments": [appointed("emperor")]}, "/people/0/appointments/0/role"),
    ({"appointments": [appointed("judge", "nowhere")]}, "/people/0/appointments/0/body_id"),
    ({"appointments": [appointed("judge", "sister", "legal")]}, "/people/0/appointments/0/department_id"),
    ({"qualifications": [pb.Qualification(kind="driver", number="1", valid_from="2025-01-01")]},
     "/people/0/qualifications/0/kind"),
    ({"qualifications": [pb.Qualification(kind="law_enforcement_certificate", number="1", valid_from="2025-13-01")]},
     "/people/0/qualifications/0/valid_from"),
    ({"qualifications": [pb.Qualification(kind="law_enforcement_certificate", number="1", valid_from="2025-02-01",
                                          valid_to="2025-01-31")]}, "/people/0/qualifications/0/valid_to"),
])  # fmt: skip
def test_faults_are_told_with_their_place(scene: Scene, change: dict[str, object], pointer: str) -> None:
    sent = person("wrong")
    for name in change:
        sent.ClearField(name)  # type: ignore[arg-type]
    sent.MergeFrom(pb.Person(**change))  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError) as refused:
        scene.bring_people(sent)
    assert [fault["pointer"] for fault in refused.value.fields] == [pointer]


def test_weak_and_miscounted_passwords(scene: Scene) -> None:
    for word in ("short", "aaaaaaaaaaaa"):
        with pytest.raises(InvalidInputError) as refused:
            scene.bring_people(person("xavier"), password=word)
        assert refused.value.fields[0]["pointer"] == "/initial_passwords/0"
    with pytest.raises(InvalidInputError):
        scene.bring_people(person("xavier"), person("xavier"))


def test_an_administrator_reaches_the_own_subtree_alone(scene: Scene) -> None:
    chief, local = scene.actor("chief"), scene.actor("administrator")
    assert scene.bring_people(person("new", appointed("judge", "sister"), body_id="sister"), actor=chief).created == 1
    assert scene.bring_people(person("mine", appointed("judge")), actor=local).created == 1
    abroad = person("officer", appointed("registrar"), appointed("judge", "sister"))
    assert scene.bring_people(abroad, actor=local).changed == 1
    for sent in (person("other", body_id="sister"), person("new", appointed("judge")),
                 person("mine", appointed("judge", "city")), person("officer", appointed("registrar"))):  # fmt: skip
        with pytest.raises(NotAllowedError):
            scene.bring_people(sent, actor=local)
    with pytest.raises(NotAllowedError):
        scene.bring_people(person("mine"), actor=scene.actor("officer"))


def test_nobody_raises_himself_or_makes_publishers(scene: Scene) -> None:
    local = scene.actor("administrator")
    with pytest.raises(NotAllowedError, match="本人"):
        scene.bring_people(person("administrator", appointed("body_administrator"), appointed("judge")), actor=local)
    with pytest.raises(NotAllowedError, match="运维人员"):
        scene.bring_people(person("second", appointed("pack_publisher")), actor=local)
    assert scene.bring_people(person("second", appointed("pack_publisher"))).changed == 1


def test_who_has_left_is_signed_out(scene: Scene) -> None:
    session = scene.sign_in("officer")
    scene.bring_people(person("officer", appointed("case_officer"), state="left"))
    with pytest.raises(NotSignedInError):
        scene.renew(session.session_id)
    with pytest.raises(NotSignedInError):
        scene.sign_in("officer")


def test_colleagues_see_people_but_not_sign_in_names(scene: Scene) -> None:
    def listed(name: str, **asked: str) -> dict[str, str]:
        with scene.unit(scene.actor(name)) as uow:
            found = views.list_people(uow, pb.ListPeopleRequest(**asked)).people  # type: ignore[arg-type]
        return {one.person_id: one.sign_in for one in found}

    assert listed("officer") == {"administrator": "", "officer": "", "second": ""}
    assert listed("administrator", role="case_officer") == {"officer": "officer"}
    assert listed("chief", body_id="sister") == {"officer": "officer"}
    with pytest.raises(NotAllowedError):
        listed("officer", body_id="sister")
