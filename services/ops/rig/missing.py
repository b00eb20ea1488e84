"""What is not on the machine, and the exact command that brings it."""

from __future__ import annotations

import os
import subprocess


class PartFailedError(RuntimeError):
    """A part did not start; the message carries the end of its log."""


class MissingPartError(PartFailedError):
    """Debian packages that are not installed; the message says what to type."""

    def __init__(self, *packages: str) -> None:
        command = f"apt-get install -y {' '.join(packages)}"
        super().__init__(f"缺少系统软件包：{'、'.join(packages)}。请用管理员身份执行：{command}")
        self.packages = packages


def apt_install(*packages: str) -> None:
    """Install as root.

    Raises:
        MissingPartError: not root, no apt, or apt refused.
    """
    if os.geteuid() != 0:
        raise MissingPartError(*packages)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    try:
        if subprocess.run(install, env=quiet, check=False).returncode == 0:  # noqa: S603
            return
        subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False)  # noqa: S607
        subprocess.run(install, env=quiet, check=True)  # noqa: S603
    except (FileNotFoundError, subprocess.CalledProcessError):
        raise MissingPartError(*packages) from None
