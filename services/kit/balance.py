"""Whether the books of all rooms agree: every event sent, applied by every listener, nothing open."""

from __future__ import annotations

from collections.abc import Iterable

from anjuan.kit.v1.operations_pb2 import Balance


def open_items(balances: Iterable[Balance]) -> list[str]:
    """What is still open, one Chinese line each; empty means settled at the moment of reading.

    A parked event or job is named by its type and stream.
    """
    books = list(balances)
    sent = {source: total for b in books for source, total in b.sent_by_source.items()}
    found = [line for b in books for line in _own(b)]
    for b in books:
        for source, applied in sorted(b.applied_by_source.items()):
            if source in sent and applied != sent[source]:
                found.append(f"{b.service} 已应用 {source} 的事件 {applied} / {sent[source]}")
    return found


def _own(b: Balance) -> Iterable[str]:
    counts = ((b.unsent, "未发出的事件"), (b.waiting, "等待前序的事件"), (b.due_jobs, "到期未办的作业"),
              (b.unanswered_effects, "未答复的后续动作"))  # fmt: skip
    yield from (f"{b.service} 有 {number} 个{what}" for number, what in counts if number)
    yield from (f"{b.service} 搁置：{p.source}.{p.type} {p.aggregate_id}#{p.seq}：{p.error}" for p in b.parked)
