"""Servers and threads that live and end together in one process."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import grpc
from grpc_health.v1 import health as grpc_health
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse

from services.kit import health, jobs, operations, relay, rpc, tick
from services.kit.inbox.streams import Listener
from services.kit.settings import Settings

if TYPE_CHECKING:
    from services.kit.run import Host, Room

GRACE_SECONDS, STOP_SECONDS = 5.0, 9.0
log = logging.getLogger("anjuan.process")


class Process:
    """Add what it runs, then `run`; `start` and `end` are its halves, for tests."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stop = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._servers: list[tuple[grpc.Server, grpc_health.HealthServicer]] = []
        self._closing: list[Callable[[], None]] = []

    def serve(self, room: Room, host: Host) -> None:
        """The room's gRPC server on its address, with health and the operators' door."""
        health_door = grpc_health.HealthServicer()
        registrations = [
            *room.rpc(host), operations.registration(room, host),
            lambda server: health_pb2_grpc.add_HealthServicer_to_server(health_door, server),
        ]  # fmt: skip
        server = rpc.serve(host, registrations, self.settings.rpc[room.name])
        self._servers.append((server, health_door))
        self._closing.append(host.engine.dispose)

    def relay(self, room: Room) -> None:
        """The room's relay."""
        self._add(f"{room.name}-relay", relay.Relay(room.name, self.settings).run)

    def tick(self, room: Room, host: Host) -> None:
        """The room's ticker."""
        self._add(f"{room.name}-tick", tick.Ticker(Listener.of(room, host)).run)

    def work(self, room: Room, slot: int = 0) -> None:
        """A worker of the room."""
        self._add(f"{room.name}-work-{slot}", jobs.Worker(room, self.settings).run)

    def _add(self, name: str, run: Callable[[threading.Event], None]) -> None:
        self._threads[name] = threading.Thread(target=run, args=(self.stop,), name=name, daemon=True)

    def start(self) -> None:
        """Open all doors."""
        for thread in self._threads.values():
            thread.start()
        for server, health_door in self._servers:
            server.start()
            health_door.set("", HealthCheckResponse.SERVING)
        if self.settings.metrics_port:
            checks = {name: thread.is_alive for name, thread in self._threads.items()}
            self._closing.append(health.listen(self.settings, checks).shutdown)

    def run(self) -> None:
        """Until SIGTERM or SIGINT.

        Raises:
            SystemExit: a thread has died, which is a fault of ours: whoever watches starts us anew.
        """
        for wanted in (signal.SIGTERM, signal.SIGINT):
            signal.signal(wanted, lambda *_: self.stop.set())
        self.start()
        dead: list[str] = []
        while not dead and not self.stop.wait(1.0):
            dead = [name for name, thread in self._threads.items() if not thread.is_alive()]
        last_resort = threading.Timer(STOP_SECONDS, os._exit, (1,))
        last_resort.daemon = True
        last_resort.start()
        self.end()
        last_resort.cancel()
        if dead:
            log.critical("threads_died", extra={"threads": dead})
            raise SystemExit(1)

    def end(self) -> None:
        """Finish what is under way, then close."""
        self.stop.set()
        for _, health_door in self._servers:
            health_door.enter_graceful_shutdown()
        for ended in [server.stop(GRACE_SECONDS) for server, _ in self._servers]:
            ended.wait()
        for thread in self._threads.values():
            thread.join()
        for close in self._closing:
            close()
