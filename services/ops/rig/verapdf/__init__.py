"""veraPDF, the validator of the PDF association, from its Maven artifacts and a few lines of Java; for tests alone."""

from __future__ import annotations

import subprocess
from pathlib import Path
from xml.etree import ElementTree

from services.ops.rig import build
from services.ops.rig.account import server_account

HERE = Path(__file__).parent
VERSION = str(ElementTree.parse(HERE / "pom.xml").findtext(".//{*}dependency/{*}version"))  # noqa: S314 (our own)
LONGEST_SECONDS = 120


def _fill(folder: Path) -> None:
    """Jars by Maven, Verify.java by javac."""
    jars = folder / "jars"
    fetch = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
    build.run([*fetch, f"-DoutputDirectory={jars}"], folder, "maven")
    compile_verify = ["javac", "-cp", f"{jars}/*", "-d", str(folder / "classes"), str(HERE / "Verify.java")]
    build.run(compile_verify, folder, "openjdk-17-jdk-headless")


def broken_rules(path: Path, flavour: str = "2b") -> list[str]:
    """What of PDF/A the file does not keep, by clause of ISO 19005; empty: it is what it says.

    Raises:
        MissingPartError: no Java or Maven. subprocess.CalledProcessError: it is no PDF at all.
    """
    folder = build.cached("verapdf", VERSION, server_account(), _fill)
    java = build.program("java", "openjdk-17-jre-headless")
    asked = [java, "-cp", f"{folder / 'classes'}:{folder / 'jars'}/*", "Verify", flavour, str(path)]
    told = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=LONGEST_SECONDS)  # noqa: S603
    return _broken(told.stdout)


def _broken(told: str) -> list[str]:
    """The lines before the verdict; a verdict other than `holds` always says something, if only itself."""
    *broken, verdict = told.splitlines()
    return [] if verdict == "holds" else broken or [verdict]
