"""RabbitMQ from the system's package: a node, folders, ports and an epmd of its own.

The wrapper in /usr/sbin is passed by: it insists on the package's own folders and accounts.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pika
from pika.exceptions import AMQPError

from services.ops.rig.missing import MissingPartError, apt_install
from services.ops.rig.place import Place
from services.ops.rig.ports import listens
from services.ops.rig.process import Command

PROGRAMS = Path("/usr/lib/rabbitmq/bin")
PACKAGE = "rabbitmq-server"
USER = "anjuan"
SETTINGS = """\
# Written by `anjuan up` at every start.
listeners.tcp.local = 127.0.0.1:{port}
default_user = {user}
default_pass = {password}
default_permissions.configure = .*
default_permissions.read = .*
default_permissions.write = .*
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 200MB
raft.wal_max_size_bytes = 67108864
log.console = true
log.console.level = info
log.connection.level = warning
log.file = false
"""
# Distribution listens on loopback only; two schedulers are enough for a machine of this size.
ERLANG = "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2"
FLUSH = "[ok = dets:sync(T) || S <- [quorum_queues], #{names := #{directory_rev := T}} <- [ra_system:fetch(S)]]."


def ensure_installed() -> None:
    """Install the package when we may.

    Raises:
        MissingPartError: it is missing and we are not root.
    """
    if not (PROGRAMS / "rabbitmq-server").exists():
        apt_install(PACKAGE)
    if not (PROGRAMS / "rabbitmq-server").exists():
        raise MissingPartError(PACKAGE)


@dataclass(frozen=True)
class RabbitMQ:
    """One broker node. `dist_port` and `epmd_port` are its own, so nodes of two checkouts never meet."""

    place: Place
    port: int
    dist_port: int
    epmd_port: int
    name: str = "rabbitmq"

    @cached_property
    def folder(self) -> Path:
        return self.place.folder(self.name)

    @property
    def url(self) -> str:
        """AMQP URL for every room."""
        return f"amqp://{USER}:{self.place.secret('amqp')}@127.0.0.1:{self.port}/%2F"

    def prepare(self) -> None:
        ensure_installed()
        account = self.place.account
        for folder in ("mnesia", "log", "schema"):
            account.owns(self.folder / folder)
        settings = SETTINGS.format(port=self.port, user=USER, password=self.place.secret("amqp"))
        for name, text in (("rabbitmq.conf", settings), ("enabled_plugins", "[].\n"), ("env.conf", "")):
            path = self.folder / name
            path.write_text(text)
            path.chmod(0o600)
            if account.drops:
                os.chown(path, account.uid, account.gid)

    def identity(self) -> str:
        """Stays as long as the node's folder does; empty before its first start."""
        cookie = self.folder / ".erlang.cookie"
        return hashlib.sha256(cookie.read_bytes()).hexdigest() if cookie.exists() else ""

    def environment(self) -> dict[str, str]:
        """What the server and its command-line tools share; HOME holds the node's cookie."""
        folder = self.folder
        return {
            "PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C.UTF-8",
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"{USER}@localhost",
            "RABBITMQ_CONF_ENV_FILE": str(folder / "env.conf"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "schema"),
            "RABBITMQ_DIST_PORT": str(self.dist_port),
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

    def command(self) -> Command:
        """The node in the foreground; the start script replaces itself only when it believes systemd started it."""
        env = self.environment() | {
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG,
        }
        argv = (str(PROGRAMS / "rabbitmq-server"),)
        return Command(self.name, argv, env, self.folder, self.place.account, grace_seconds=30)

    def ready(self) -> bool:
        """A channel opens for our user (asked only when the port answers: pika reports refusals at length)."""
        if not listens(self.port):
            return False
        wanted = pika.URLParameters(f"{self.url}?socket_timeout=2&stack_timeout=5&blocked_connection_timeout=5")
        try:
            with pika.BlockingConnection(wanted) as connection:
                connection.channel()
        except (AMQPError, OSError):
            return False
        return True

    def control(self, *words: str) -> str:
        """Run rabbitmqctl (about a second and a half).

        Raises:
            subprocess.CalledProcessError: the node does not answer or refuses.
        """
        done = subprocess.run(  # noqa: S603
            [PROGRAMS / "rabbitmqctl", "-q", *words], env=self.environment(), cwd=self.folder, check=True,
            capture_output=True, text=True, **self.place.account.popen(),
        )  # fmt: skip
        return done.stdout

    def flush_declarations(self) -> None:
        """Force the names of new quorum queues to disk.

        RabbitMQ 3.10 writes them up to seconds later; killed before that, it starts the queue as a new, empty one
        without leader, although it had confirmed messages. Call it after declaring, before publishing.
        """
        self.control("eval", FLUSH)

    def end_port_mapper(self) -> None:
        """The node's first start left an epmd on our own port; it refuses to go while a node uses it."""
        epmd = shutil.which("epmd")
        if epmd:
            subprocess.run([epmd, "-kill"], env=self.environment(), capture_output=True, check=False)  # noqa: S603
