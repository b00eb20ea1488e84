"""What workflow keeps: packs, procedures, visits of nodes, tasks and their audience, opinions, effects, hearings."""

from __future__ import annotations

from datetime import date

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import ARRAY, INT8RANGE, TSTZRANGE, ExcludeConstraint

metadata = MetaData()
INSTANT = DateTime(timezone=True)
NOW = text("clock_timestamp()")
# A task without a day sorts after every task with one.
NO_DAY = date(9999, 12, 31)


def words(name: str, default: str = "") -> Column[str]:
    """A text column that is never null."""
    return Column(name, Text, nullable=False, server_default=default)


def strings(name: str) -> Column[list[str]]:
    """A text[] column that is never null."""
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'"))


def number(name: str, default: int = 0) -> Column[int]:
    """An integer column that is never null."""
    return Column(name, Integer, nullable=False, server_default=str(default))


def document(name: str) -> Column[dict[str, object]]:
    """A JSON text that is written and read whole, never searched."""
    return Column(name, JSON, nullable=False, server_default=text("'{}'"))


def case_keys() -> tuple[Column[str], Column[str]]:
    """To which procedure instance of which case a row belongs."""
    return Column("instance_id", Text, nullable=False), Column("case_id", Text, nullable=False)


pack_bundles = Table(
    "pack_bundles", metadata,
    Column("sha256", Text, primary_key=True),
    Column("pack_id", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # proposed, published
    Column("proposed_by", Text, nullable=False),
    words("confirmed_by"),
    Column("proposed_at", INSTANT, nullable=False, server_default=NOW),
    Column("confirmed_at", INSTANT),
    UniqueConstraint("pack_id", "version", name="pack_bundles_version"),
)  # fmt: skip

instances = Table(
    "instances", metadata,
    Column("instance_id", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("body_id", Text, nullable=False),
    Column("pack_id", Text, nullable=False),
    Column("pack_version", Text, nullable=False),
    Column("pack_sha256", Text, nullable=False),
    document("tokens"),  # the engine's state, without its specification
    document("variables"),  # case, forms, results, actors: what conditions may ask
    words("department_id"), strings("officer_ids"), strings("panel_ids"), words("stage"),
    Column("concluded", Boolean, nullable=False, server_default=text("false")),
    words("outcome"),
    Column("started_on", Date, nullable=False),
    Column("concluded_on", Date),
    Index("instances_case", "case_id", unique=True),
)  # fmt: skip

# One opening of a node: a person's work, or a wait for a fact.
visits = Table(
    "visits", metadata,
    Column("visit_id", Text, primary_key=True),
    *case_keys(),
    Column("node_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("kind", Text, nullable=False),  # task, wait, boundary
    Column("state", Text, nullable=False),  # open, waiting_for_effects, done, cancelled
    Column("position", BigInteger, Identity(always=True), nullable=False),
    Column("opened_on", Date, nullable=False),
    Column("opened_at", INSTANT, nullable=False, server_default=NOW),
    Column("occurred_on", Date),
    Column("done_at", INSTANT),
    words("submitted_by"), words("submitted_by_name"), strings("people"),
    words("completed_by"), words("completed_by_name"),
    number("round"), number("attempt"),
    document("data"), document("act"),  # what was filled in; what conditions may ask of the completing act
    words("reason"),
    words("from_name"),
    Index("visits_case", "case_id", "position"),
    Index("visits_instance", "instance_id", "node_id", "position"),
)  # fmt: skip

tasks = Table(
    "tasks", metadata,
    Column("task_id", Text, primary_key=True),
    *case_keys(),
    Column("visit_id", Text, ForeignKey("visits.visit_id"), nullable=False),
    Column("body_id", Text, nullable=False),
    Column("node_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("kind", Text, nullable=False),  # form, approval
    words("level"), number("step", -1), number("round"),
    Column("state", Text, nullable=False),  # open, waiting_for_effects, done, returned, cancelled
    words("candidate_role"), strings("candidate_ids"),
    strings("keys"),  # under which it waits or waited
    words("pinned_to"),  # the one person for whom it was reopened
    Column("opened_on", Date, nullable=False),
    Column("opened_at", INSTANT, nullable=False, server_default=NOW),
    words("from_name"),
    Column("waiting_since", INSTANT),
    words("refused_reason"),
    words("effect_id"),  # the effect that its completion answers
    document("draft"),
    Column("done_at", INSTANT),
    words("done_by"), words("done_by_name"), words("done_key"),
    Column("version", BigInteger, nullable=False, server_default="1"),
    Index("tasks_visit", "visit_id"),
    Index("tasks_case", "case_id", "task_id"),
    Index("tasks_done", "done_by", "done_at", "task_id", postgresql_where=text("done_at is not null")),
)  # fmt: skip

# Open tasks by whom they wait for: the work list is a range of this table's index for each of a person's keys.
task_audience = Table(
    "task_audience", metadata,
    Column("task_id", Text, ForeignKey("tasks.task_id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("due_on", Date, nullable=False),
    Column("rule", SmallInteger, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("body_id", Text, nullable=False),
    Column("pack_id", Text, nullable=False),
    words("due_state"),
    strings("excluded_ids"),
    Index("task_audience_list", "key", "due_on", "task_id",
          postgresql_include=["due_state", "body_id", "pack_id", "excluded_ids"]),
    Index("task_audience_case", "case_id"),
)  # fmt: skip

opinions = Table(
    "opinions", metadata,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("visit_id", Text, ForeignKey("visits.visit_id"), nullable=False),
    Column("task_id", Text, nullable=False),
    number("round"), words("level"), number("step", -1),
    Column("person_id", Text, nullable=False),
    Column("person_name", Text, nullable=False),
    Column("decision", Text, nullable=False),  # submit, agree, return, recall, send_back
    words("text"),
    Column("occurred_on", Date, nullable=False),
    Column("given_at", INSTANT, nullable=False, server_default=NOW),
    Index("opinions_visit", "visit_id", "position"),
    Index("opinions_case", "case_id", "position"),
)  # fmt: skip

effects = Table(
    "effects", metadata,
    Column("effect_id", Text, primary_key=True),
    *case_keys(),
    Column("visit_id", Text, ForeignKey("visits.visit_id"), nullable=False),
    Column("node_id", Text, nullable=False),
    Column("name", Text, nullable=False),  # id in the pack
    Column("effect", Text, nullable=False),  # name in the registry
    Column("owner", Text, nullable=False),
    number("attempt", 1),
    Column("state", Text, nullable=False),  # held, requested, done, refused, dropped
    Column("awaited", Boolean, nullable=False),
    strings("after"),
    document("params"), document("results"),
    words("reason"),
    Column("occurred_on", Date, nullable=False),
    Column("position", BigInteger, Identity(always=True), nullable=False),
    Column("requested_at", INSTANT),
    Column("answered_at", INSTANT),
    Index("effects_visit", "visit_id", "position"),
    Index("effects_case", "case_id", "position"),
    Index("effects_unanswered", "effect_id", postgresql_where=text("state = 'requested'")),
)  # fmt: skip

# Facts of a case that a node may count although they came before it opened (waits_for from: case).
facts = Table(
    "facts", metadata,
    Column("event_id", Text, primary_key=True),
    *case_keys(),
    Column("type", Text, nullable=False),
    document("event"),
    strings("used_by"),  # nodes that it has already moved
    Column("position", BigInteger, Identity(always=True), nullable=False),
    Index("facts_instance", "instance_id", "type", "position"),
)  # fmt: skip

hearings = Table(
    "hearings", metadata,
    Column("hearing_id", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("body_id", Text, nullable=False),
    words("kind"),
    Column("room", Text, nullable=False),
    Column("starts_at", INSTANT, nullable=False),
    Column("ends_at", INSTANT, nullable=False),
    strings("panel_ids"),
    Column("state", Text, nullable=False),  # scheduled, cancelled
    CheckConstraint("ends_at > starts_at", name="hearings_span"),
    Index("hearings_body", "body_id", "starts_at", "hearing_id"),
    Index("hearings_case", "case_id", "starts_at"),
)  # fmt: skip

# A number for each room and person, because ranges can be excluded without an extension, text cannot.
bookable = Table(
    "bookable", metadata,
    Column("key", Text, primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False),
)  # fmt: skip

bookings = Table(
    "bookings", metadata,
    Column("hearing_id", Text, ForeignKey("hearings.hearing_id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("who", INT8RANGE, nullable=False),
    Column("during", TSTZRANGE, nullable=False),
    ExcludeConstraint(("who", "&&"), ("during", "&&"), name="bookings_clash", using="gist"),
)  # fmt: skip
