"""`python -m scanning --folder … --server … --key …`: the scanning station."""

from __future__ import annotations

import argparse
import logging
import signal
from collections.abc import Sequence
from pathlib import Path

from scanning.station import Settings, Station
from services.kit import logs


def settings(arguments: Sequence[str] | None = None) -> Settings:
    """From the command line."""
    parser = argparse.ArgumentParser(prog="python -m scanning", description="扫描站：监视文件夹，整理并上传扫描件")
    parser.add_argument("--folder", type=Path, required=True, help="扫描仪写入的文件夹")
    parser.add_argument("--server", required=True, help="平台地址，例如 https://anjuan.example")
    parser.add_argument("--key", type=Path, required=True, help="本站密钥文件，首次运行时生成")
    parser.add_argument("--body", required=True, help="所属机构标识")
    parser.add_argument("--name", default="扫描站", help="扫描站名称")
    parser.add_argument("--data", type=Path, help="本站数据目录，与 --folder 同一文件系统（默认 <folder>/.station）")
    parser.add_argument("--settle", type=float, default=2.0, help="文件多少秒不再变化即视为写完")
    parser.add_argument("--keep-days", type=int, default=30, help="上传确认后原文件在本机保留的天数")
    parser.add_argument("--longest-wait", type=float, default=60.0, help="连不上平台时最长隔多少秒再试")
    parser.add_argument("--once", action="store_true", help="处理完现有文件后退出")
    told = parser.parse_args(arguments)
    return Settings(
        folder=told.folder.resolve(), data=(told.data or told.folder / ".station").resolve(), server=told.server,
        key=told.key, name=told.name, body_id=told.body, settle_seconds=told.settle, keep_days=told.keep_days,
        longest_wait_seconds=told.longest_wait, once=told.once,
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until SIGTERM."""
    logs.configure("scanning")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    station = Station(settings(arguments))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: station.stop.set())
    station.run()


if __name__ == "__main__":
    main()
