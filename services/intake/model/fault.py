"""What is wrong in something handed in: where, and a sentence that says how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from services.kit.errors import InvalidInputError


@dataclass(frozen=True)
class Fault:
    """`pointer` is a JSON pointer (RFC 6901) into the request's object."""

    pointer: str
    detail: str


def pointer(*steps: str | int) -> str:
    """A JSON pointer from its steps."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def refuse(faults: Iterable[Fault]) -> None:
    """Tell all faults at once; nothing happens when there is none.

    Raises:
        InvalidInputError: with every fault as a field.
    """
    if found := list(faults):
        raise InvalidInputError(f"填写的内容有{len(found)}处需要改正", [asdict(fault) for fault in found])
