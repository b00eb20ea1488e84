"""Elasticsearch 8.19 from its Maven artifacts and a small launcher (Launcher.java), without the vendor's archive.

Modules that are not published are absent: no client.info(), scripts, reindex; analysers: standard, shingle and
lowercase. The mapping keeps within that, so it runs on every Elasticsearch 8.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from services.ops.rig import build
from services.ops.rig.place import Place
from services.ops.rig.process import Command
from services.ops.rig.web import fetch

HERE = Path(__file__).parent
VERSION = "8.19.5"
MODULE = "transport-netty4"
IN_MODULE = re.compile(rf"({MODULE}|netty-.*|elasticsearch-ssl-config)-[0-9].*\.jar")
DESCRIBED = f"META-INF/es-plugins/{MODULE}/"


def _fill(folder: Path) -> None:
    """Jars by Maven, the launcher by javac, and the home folder that a node expects."""
    jars, home = folder / "jars", folder / "home"
    fetch_jars = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
    build.run([*fetch_jars, f"-DoutputDirectory={jars}"], folder, "maven")
    module = home / "modules" / MODULE
    for made in (module, home / "plugins", home / "config"):
        made.mkdir(parents=True)
    for jar in jars.iterdir():
        if IN_MODULE.fullmatch(jar.name):
            shutil.move(jar, module / jar.name)
    with zipfile.ZipFile(module / f"{MODULE}-{VERSION}.jar") as packed:
        descriptor = packed.read(f"{DESCRIBED}plugin-descriptor.properties").decode().splitlines()
        kept = [line for line in descriptor if not line.startswith("modulename")]
        (module / "plugin-descriptor.properties").write_text("\n".join(kept) + "\n")
        (module / "entitlement-policy.yaml").write_bytes(packed.read(f"{DESCRIBED}entitlement-policy.yaml"))
    compile_launcher = ["javac", "-cp", f"{jars}/*", "-d", str(folder / "classes"), str(HERE / "Launcher.java")]
    build.run(compile_launcher, folder, "openjdk-17-jdk-headless")


@dataclass(frozen=True)
class Elasticsearch:
    """One node; `port` answers HTTP without a password on loopback."""

    place: Place
    port: int
    transport_port: int
    name: str = "elasticsearch"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def programs(self) -> Path:
        """The cached folder, built at first use (about half a minute)."""
        return build.cached("elasticsearch", VERSION, self.place.account, _fill)

    @cached_property
    def folder(self) -> Path:
        return self.place.folder("elasticsearch")

    def prepare(self) -> None:
        _ = self.programs  # built now, not when the node is started
        for folder in ("config", "data", "tmp"):
            self.place.account.owns(self.folder / folder)

    def command(self) -> Command:
        programs, folder = self.programs, self.folder
        java = build.program("java", "openjdk-17-jre-headless")
        argv = (
            java, "-Xms256m", "-Xmx1g", "-XX:-UsePerfData", f"-Djava.io.tmpdir={folder / 'tmp'}",
            "-cp", f"{programs / 'classes'}:{programs / 'jars'}/*", "Launcher",
            *map(str, (programs / "home", folder / "config", folder / "data", self.port, self.transport_port)),
        )  # fmt: skip
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(folder)}
        return Command(self.name, argv, env, folder, self.place.account, grace_seconds=30)

    def ready(self) -> bool:
        """The node has a master and every primary shard."""
        answer = fetch(self.port, "/_cluster/health")
        return answer is not None and answer[0] == 200 and b'"status":"red"' not in answer[1]
