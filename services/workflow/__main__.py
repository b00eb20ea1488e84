"""workflow: packs, procedures, nodes, tasks, approvals, assignment, hearings."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select

from services.kit import run
from services.workflow import consumer, rpc
from services.workflow.clients import ArchivedFiles
from services.workflow.store import WorkflowUnit
from services.workflow.tables import effects


def unanswered(uow: WorkflowUnit) -> int:
    """Effects that are out at other rooms and not yet answered; a superior takes days, and is not waited for."""
    out = (effects.c.state == "requested") & (effects.c.owner != "workflow")
    query = select(func.count()).select_from(effects).where(out)
    return int(uow.connection.execute(query).scalar_one())


ROOM = run.Room(
    name="workflow",
    unit=WorkflowUnit,
    migrations=Path(__file__).parent / "migrations",
    rpc=lambda host: rpc.registrations(host, ArchivedFiles(host.settings.rpc.get("archive", ""))),
    consumer=consumer.WorkflowConsumer,
    sources=consumer.WorkflowConsumer.sources,
    unanswered=unanswered,
)

if __name__ == "__main__":
    run.main(ROOM)
