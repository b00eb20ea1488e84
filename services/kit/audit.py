"""The audit chain: rows linked in order by SHA-256, heads signed with Ed25519 and kept apart: tampering shows."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Row, Select, insert, select, text

from services.kit import clock, schema

if TYPE_CHECKING:
    from services.kit.run import Host

BATCH = 5_000
ANCHOR_SECONDS = 60.0
ANCHORS = "audit/{}/"  # of a room in the object store: a folder a day, in it position -> link, rows, signature (hex)
START = b"\0" * 32
_TABLE, _HEADS = schema.audit, schema.audit_heads
_NEWEST = select(_HEADS).order_by(_HEADS.c.position.desc())
_PLAIN = [column.name for column in _TABLE.c if column.name not in ("link", "at", "legal_on")]
# Whoever may still add a row below the highest visible one holds this lock; it is taken before the position.
_WRITERS = text("""
    select virtualtransaction from pg_locks where locktype = 'relation' and relation = 'audit'::regclass
    and mode = 'RowExclusiveLock' and database = (select oid from pg_database where datname = current_database())""")
_LINK = text("""
    update audit set link = n.link from unnest(cast(:positions as bigint[]), cast(:links as bytea[])) n (position, link)
    where audit.position = n.position""")


def _canonical(row: Row[Any]) -> bytes:
    values = {name: getattr(row, name) for name in _PLAIN}
    values["at"] = row.at.astimezone(clock.CHINA).isoformat()
    values["legal_on"] = row.legal_on.isoformat() if row.legal_on else None
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _next(link: bytes, row: Row[Any]) -> bytes:
    return hashlib.sha256(link + _canonical(row)).digest()


def _signed(position: int, link: bytes, rows: int) -> bytes:
    return b"anjuan-audit-head\0" + f"{position}:{rows}:".encode() + link


def load_key(folder: Path, room: str) -> Ed25519PrivateKey:
    """The room's signing key, made at first use, readable by its owner alone."""
    path = folder / "keys" / f"audit-{room}.pem"
    if not path.exists():
        _make_key(path)
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path} is not an Ed25519 key")
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text_ = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(text_)
    try:
        os.link(fresh, path)  # the first of two processes wins
    except FileExistsError:
        return
    finally:
        fresh.unlink()


def _rows(where: Any) -> Select[Any]:
    return select(_TABLE).where(where).order_by(_TABLE.c.position)


class Chainer:
    """Links what is certain to have no late row below it: the writers of a round ago must have ended."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._high, self._writers = 0, frozenset[str]()
        self._anchor_due = 0.0

    def step(self) -> None:
        """One round: link what the round before saw, if its writers have ended; then look again."""
        with self.host.engine.begin() as connection:
            high, writers = self._look(connection)
            if self._high and not (self._writers & writers):
                self._link(connection, self._high)
                self._high = 0
            if not self._high:
                self._high, self._writers = high, writers
        if self._high and not self._writers:
            self._link_now()
        if clock.monotonic() >= self._anchor_due:
            self._anchor_due = clock.monotonic() + ANCHOR_SECONDS
            self._anchor()

    def _look(self, connection: Connection) -> tuple[int, frozenset[str]]:
        # first the rows, then who is writing: a writer unseen now can only take higher positions
        high = select(_TABLE.c.position).where(_TABLE.c.link.is_(None)).order_by(_TABLE.c.position.desc()).limit(1)
        found = connection.execute(high).scalar() or 0
        return int(found), frozenset(connection.execute(_WRITERS).scalars())

    def _link_now(self) -> None:
        with self.host.engine.begin() as connection:
            self._link(connection, self._high)
        self._high = 0

    def _link(self, connection: Connection, high: int) -> None:
        head = connection.execute(_NEWEST.limit(1)).one_or_none()
        link, count = (bytes(head.link), int(head.rows)) if head else (START, 0)
        # at once: a cursor that the server keeps, and dies with, is an error in the log beside the lost connection's
        rows = connection.execute(_rows(_TABLE.c.link.is_(None) & (_TABLE.c.position <= high)).limit(BATCH)).all()
        if not rows:
            return
        links = []
        for row in rows:
            link = _next(link, row)
            links.append(link)
        connection.execute(_LINK, {"positions": [row.position for row in rows], "links": links})
        position, count = rows[-1].position, count + len(rows)
        key = load_key(self.host.settings.data, self.host.name)
        connection.execute(insert(_HEADS).values(
            position=position, link=link, rows=count, signed_at=clock.now(),
            signature=key.sign(_signed(position, link, count)),
        ))  # fmt: skip

    def _anchor(self) -> None:
        """Tell the object store the newest head: a tail that is cut off together with its heads shows as well.

        Of each day the last is kept, and every one whose head the database does not know any more.
        """
        with self.host.engine.connect() as connection:
            head, store = connection.execute(_NEWEST.limit(1)).one_or_none(), self.host.objects
            if head is None:
                return
            day = f"{ANCHORS.format(self.host.name)}{head.signed_at.astimezone(clock.CHINA):%Y-%m-%d}/"
            older = {int(key.removeprefix(day)) for key in store.keys(day)} - {head.position}
            body = json.dumps({"link": bytes(head.link).hex(), "rows": head.rows,
                               "signature": bytes(head.signature).hex()}).encode()  # fmt: skip
            store.put(f"{day}{head.position}", io.BytesIO(body), len(body), "application/json")
            for position in connection.execute(select(_HEADS.c.position).where(_HEADS.c.position.in_(older))).scalars():
                store.delete(f"{day}{position}")


def _anchored(host: Host) -> Iterator[SimpleNamespace]:
    for key in host.objects.keys(ANCHORS.format(host.name)):
        told = json.loads(host.objects.get(key))
        told |= {name: bytes.fromhex(told[name]) for name in ("link", "signature")}
        yield SimpleNamespace(position=int(key.rpartition("/")[2]), **told)


@dataclass
class Verdict:
    """Rows in the chain, rows not yet linked, the last link (hex), and what does not fit, in Chinese."""

    rows: int = 0
    unchained: int = 0
    head: str = ""
    faults: list[str] = field(default_factory=list)


def verify(host: Host) -> Verdict:
    """Reckon the whole chain anew; shows rows removed, changed, inserted or reordered, and forged heads."""
    found = Verdict()
    public = load_key(host.settings.data, host.name).public_key()
    with host.engine.connect() as connection:
        heads = defaultdict(list)
        for signed in (*_anchored(host), *connection.execute(select(_HEADS))):  # an anchor's head is older than itself
            heads[signed.position].append(signed)
        link = START
        for row in connection.execute(_rows(_TABLE.c.link.is_not(None)).execution_options(yield_per=1_000)):
            found.rows += 1
            if _next(link, row) != bytes(row.link):
                found.faults.append(f"第{row.position}行与前一行不衔接：该行被改动，或其前有行被删除、插入或调换")
            link = bytes(row.link)
            for head in heads.pop(row.position, ()):
                _check_head(found, public, head, link)
        found.faults += [f"已签名的第{position}行不见了：链尾被删除" for position in sorted(heads)]
        found.unchained = len(connection.execute(_rows(_TABLE.c.link.is_(None))).all())
        found.head = link.hex() if found.rows else ""
    return found


def _check_head(found: Verdict, public: Any, head: Any, link: bytes) -> None:
    try:
        public.verify(bytes(head.signature), _signed(head.position, bytes(head.link), head.rows))
    except InvalidSignature:
        found.faults.append(f"第{head.position}行处的签名无效：链头被伪造")
    if (bytes(head.link), head.rows) != (link, found.rows):
        found.faults.append(f"截至第{head.position}行应有{head.rows}行，实有{found.rows}行，或链接与签名不符")
