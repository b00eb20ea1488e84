"""One file a resource; ALL is what the application mounts."""

from gateway.routes import (
    accounts,
    alert_cards,
    bodies,
    cases,
    clocks,
    dossiers,
    filings,
    health,
    hearings,
    instruments,
    notices,
    operations,
    packs,
    scans,
    search,
    session,
    stations,
    tasks,
    uploads,
)  # fmt: skip

ALL = tuple(
    part.router
    for part in (
        session, accounts, bodies, stations, filings, cases, tasks, hearings, clocks, alert_cards, instruments, packs,
        uploads, scans, dossiers, notices, search, operations, health,
    )
)  # fmt: skip
