"""A publisher that never came to a connection says that the broker is gone, and nothing else."""

from __future__ import annotations

import pytest

from services.kit.publisher import BrokerGoneError, Message, Publisher


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_before_it_connects_is_a_broker_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.kit.publisher.OPEN_SECONDS", 0.2)
    with pytest.raises(BrokerGoneError):
        Publisher("amqp://127.0.0.1:no-port/")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_is_not_open_takes_nothing_and_closes_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Publisher, "_await", lambda *_: None)
    publisher = Publisher("amqp://127.0.0.1:no-port/")
    with pytest.raises(BrokerGoneError, match="not open"):
        publisher.publish([Message("", "queue", b"{}", "event", {})])
    publisher.close()
    publisher.close()
