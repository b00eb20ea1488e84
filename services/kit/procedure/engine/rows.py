"""A thread's state as rows: [spec, parent row, state, id, marks]; the spec itself is never stored.

Only finished and live tasks are kept; what is merely predicted is laid out again on reading.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from services.kit.errors import RuleRefusedError
from services.kit.procedure.engine.specs import Act, Wait, numbered

KEPT = TaskState.FINISHED_MASK | TaskState.WAITING | TaskState.READY | TaskState.STARTED
# SpiffWorkflow walks no deeper than 1000 and would lose tokens silently; some of its walks recurse.
DEPTH = 600


def begin(spec: Any, answers: Any) -> Any:
    """A new workflow, not yet run."""
    return BpmnWorkflow(spec, script_engine=answers)


def dump(workflow: Any) -> dict[str, Any]:
    """The thread as plain data."""
    rows: list[list[Any]] = []
    todo = [(workflow.task_tree, -1, 0)]
    while todo:
        task, parent, depth = todo.pop()
        if not task.has_state(KEPT):
            continue
        if depth > DEPTH:
            raise RuleRefusedError("案件流转的步数过多，无法继续；请联系管理员")
        rows.append(_row(task, parent))
        index = len(rows) - 1
        todo += [(child, index, depth + 1) for child in reversed(task.children)]
    return {"n": workflow.data.get("n", 0), "completed": workflow.completed, "rows": rows}


def _row(task: Any, parent: int) -> list[Any]:
    visible = isinstance(task.task_spec, Act | Wait)
    if visible and "n" not in task.internal_data:
        task.internal_data["n"] = numbered(task.workflow)
    return [task.task_spec.name, parent, task.state, str(task.id) if visible else None, task.internal_data]


def restore(spec: Any, thread: dict[str, Any], answers: Any) -> Any:
    """The workflow of a dumped thread."""
    workflow = BpmnWorkflow(spec, script_engine=answers, deserializing=True)
    workflow.data["n"] = thread["n"]
    tasks: list[Any] = []
    for name, parent, state, ident, marks in thread["rows"]:
        above = tasks[parent] if parent >= 0 else None
        task = Task(workflow, spec.task_specs[name], above, state, UUID(ident) if ident else uuid4())
        task.internal_data = dict(marks)
        tasks.append(task)
    workflow.task_tree = tasks[0]
    workflow.completed = thread["completed"]
    for task in tasks:
        if task.has_state(TaskState.DEFINITE_MASK):
            task.task_spec._predict(task, mask=TaskState.NOT_FINISHED_MASK)
    return workflow
