"""承办人: who carries a case, and as what, by the posts that the procedure has given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Officer:
    """A person of the case. `roles`: case_officer (bureaus), responsible_judge, presiding_judge, panel_member."""

    person_id: str
    roles: tuple[str, ...]


def officers_of(officer_ids: Sequence[str], panel_ids: Sequence[str], court: bool) -> tuple[Officer, ...]:
    """In order, the responsible one first. The panel of a hearing begins with the presiding judge; a sole judge
    presides over nobody, and who holds a bureau's hearing carries no case."""
    if not court:
        return tuple(Officer(p, ("case_officer",)) for p in officer_ids)
    presiding, responsible = panel_ids[:1] if len(panel_ids) > 1 else (), officer_ids[:1] or panel_ids[:1]
    posts = (("responsible_judge", responsible), ("presiding_judge", presiding))
    held = {p: tuple(post for post, whose in posts if p in whose) for p in (*officer_ids, *panel_ids)}
    return tuple(Officer(person, posts or ("panel_member",)) for person, posts in held.items())
