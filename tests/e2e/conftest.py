"""One scripted platform for the HTTP tests, with a body and its people already at work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from services.kit.settings import procedures_dir
from services.ops.demo.player import Play
from services.ops.demo.site import Voice
from services.ops.demo.stage import Stage, open_stage
from services.ops.trial import Platform

PENALTY = procedures_dir() / "admin-penalty-general"


@pytest.fixture(scope="session")
def stage(platform: Platform) -> Iterator[Stage]:
    """The session's platform, spoken to by its operator."""
    with open_stage(platform.installation) as one:
        yield one


@dataclass
class Scene:
    """A bureau with a registrar, officers and leaders; `play` knows their names."""

    play: Play
    registrar: Voice
    officer: Voice
    leader: Voice

    def file(self, title: str, *materials: dict[str, Any]) -> str:
        """A lead handed in by the registrar, without files unless some are named; answers the case id."""
        first = self.play.cast.example["acts"][0]
        told = self.play.meant(first["filing"]) | {"title": title, "materials": materials, "parties": []}
        body = told | {"body_id": self.play.cast.body, "procedure_id": self.play.pack.id}
        return str(self.registrar.post("/filings", body)["case_id"])


@pytest.fixture(scope="session")
def scene(stage: Stage) -> Scene:
    """Brought in once."""
    pack = stage.publish(PENALTY)
    name = next(name for name in pack.examples if "transfer-overdue" in name)
    play = stage.play(PENALTY, name, "scene")
    return Scene(play, play.speak("deng"), play.speak("zhang"), play.speak("wang"))
