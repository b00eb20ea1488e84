"""Sending a case back: whatever came after a visit is undone first, across joins, exits and races."""

from __future__ import annotations

from typing import Any

from SpiffWorkflow.util.task import TaskState

from services.kit.procedure.engine.specs import Boundary, Exit, Merge, Race, Split, arrived

LIVE = TaskState.READY | TaskState.WAITING


def last_visit(workflow: Any, name: str) -> Any | None:
    """The latest finished visit of a node in a thread."""
    visits = [t for t in workflow.tasks.values() if t.task_spec.name == name and t.has_state(TaskState.FINISHED_MASK)]
    return max(visits, key=lambda t: t.internal_data.get("n", 0), default=None)


def reopen(workflow: Any, visit: Any) -> None:
    """Undo everything that followed a visit and open its node anew, as a new visit."""
    target = visit
    if isinstance(visit.parent.task_spec, Split | Race):
        target = visit.parent
    parent, spec = target.parent, target.task_spec
    _undo(workflow, target)
    _rearm(workflow, parent)
    workflow.completed = False
    _open(parent, spec)


def _subtree(task: Any) -> list[Any]:
    found, todo = [], [task]
    while todo:
        task = todo.pop()
        found.append(task)
        todo.extend(task.children)
    return found


def _undo(workflow: Any, task: Any) -> None:
    """Remove a branch; joins elsewhere that consumed one of its tokens wait again."""
    while (join := _fed(workflow, task)) is not None:
        _unfire(workflow, join)
    doomed = _subtree(task)
    _give_back(workflow, doomed)
    task.parent._children.remove(task.id)
    for gone in doomed:  # SpiffWorkflow's own removal recurses as deep as the case is long
        del workflow.tasks[gone.id]


def _fed(workflow: Any, task: Any) -> Any | None:
    doomed = _subtree(task)
    inside = {t.id for t in doomed}
    for token in doomed:
        if token.task_spec is workflow.spec.end and (ended := _ended(workflow)) is not None and ended.id not in inside:
            return ended
        number = token.internal_data.get("by")
        if isinstance(token.task_spec, Merge) and number:
            join = _join(workflow, token.task_spec, number)
            if join is not None and join.id not in inside:
                return join
    return None


def _ended(workflow: Any) -> Any | None:
    ends = [t for t in workflow.tasks.values() if t.task_spec is workflow.spec.end and t.state == TaskState.COMPLETED]
    return ends[0] if ends else None


def _join(workflow: Any, spec: Any, number: int) -> Any | None:
    found = (t for t in workflow.tasks.values() if t.task_spec is spec and t.internal_data.get("n") == number)
    return next(found, None)


def _unfire(workflow: Any, join: Any) -> None:
    """A join that fired waits again, its other arrivals with it."""
    for child in list(join.children):
        _undo(workflow, child)
    if isinstance(join.task_spec, Exit):
        _arm(join.task_spec.opened(join))
    _give_back(workflow, [join])
    join.internal_data.clear()
    join._set_state(TaskState.WAITING)


def _give_back(workflow: Any, doomed: list[Any]) -> None:
    """Arrivals consumed by joins that go away count again."""
    fired = {(t.task_spec.name, t.internal_data["n"]) for t in doomed
             if isinstance(t.task_spec, Merge) and "n" in t.internal_data}  # fmt: skip
    for task in workflow.tasks.values():
        if (task.task_spec.name, task.internal_data.get("by")) in fired:
            del task.internal_data["by"]


def _rearm(workflow: Any, task: Any) -> None:
    """Activities around the reopened node listen to their edges again; what an edge had cut off lives again."""
    inner = None
    while task is not None:
        if isinstance(task.task_spec, Split) and not isinstance(getattr(inner, "task_spec", None), Boundary):
            for event in [c for c in task.children if isinstance(c.task_spec, Boundary)]:
                if event.state == TaskState.COMPLETED and event.task_spec.interrupting:
                    _undo(workflow, event)
                    _revive(workflow, task, event.internal_data["n"])
            _arm(task)
        inner, task = task, task.parent


def _revive(workflow: Any, split: Any, number: int) -> None:
    for token in _subtree(split):
        if token.internal_data.get("cut") == number:
            if isinstance(token.task_spec, Merge):
                del token.internal_data["cut"]
                token._set_state(TaskState.WAITING)
                continue
            spec, parent = token.task_spec, token.parent
            _undo(workflow, token)
            _open(parent, spec)


def _open(parent: Any, spec: Any) -> None:
    fresh = parent._add_child(spec, TaskState.FUTURE)
    spec._predict(fresh, mask=TaskState.NOT_FINISHED_MASK)
    spec._update(fresh)


def _arm(split: Any) -> None:
    armed = {t.task_spec.name for t in split.children if t.state == TaskState.WAITING}
    for spec in split.task_spec.outputs:
        if isinstance(spec, Boundary) and spec.name not in armed:
            split._add_child(spec, TaskState.WAITING)


def interrupt(event: Any) -> None:
    """An interrupting boundary event cuts its activity off; `cut` remembers what, so that it can be undone."""
    number = event.internal_data["n"]
    for child in event.parent.children:
        if child is event or (isinstance(child.task_spec, Boundary) and child.state != TaskState.WAITING):
            continue
        for token in [
            t for t in _subtree(child) if t.has_state(LIVE) or (isinstance(t.task_spec, Merge) and arrived(t))
        ]:
            token.internal_data["cut"] = number
            token.cancel()
