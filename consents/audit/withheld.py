"""What a published release states, as far as an audit needs it, and which batches stay closed.

A batch below its task's minimum is never opened: its root and its sum would tell its size. It is
excused once a release, logged and at hand with its very bytes, shows that nothing was published.
The figures of a release are not judged here: they follow from reports and noise, not from the log.
"""

from collections.abc import Iterable, Mapping, Sequence

from consents.audit.case import Act, Question
from consents.audit.timeline import ActLeaf
from consents.canonical import parse_json, sha256_hex
from consents.errors import CanonicalError
from consents.records.receipt import EventType

# A row of a release that publishes nothing names its cell and no more; a member that is not listed
# here could be a figure under another name.
_ROW_NAMES = frozenset({"zone", "measure", "unit", "label", "quality"})
_ROW_FIGURES = frozenset({"value", "ci95_low", "ci95_high", "noise_sd", "n"})
_STATEMENT = frozenset(
    {
        "v",
        "task_digest",
        "week",
        "privacy_unit",
        "adjacency",
        "trust_mode",
        "epsilon_micro",
        "epsilon_week_micro",
        "epsilon_52_weeks_micro",
        "epsilon_52_weeks_pld_micro",
        "delta",
        "delta_pld",
        "mechanism",
        "scale",
        "cap_units",
        "min_batch_size",
        "n",
        "noise",
        "factor_set",
        "noise_vs_two_keepers",
        "trust_fr",
        "trust_en",
        "software_version",
        "rows",
    }
)


def publishes_nothing(content: bytes) -> bool:
    """Tell whether a release states no contribution and no figure, in any place.

    What is allowed is listed, not what is forbidden: an unknown member is taken for a figure.
    """
    members = _members(content)
    if not set(members) <= _STATEMENT or release_count(content) != 0:
        return False
    rows = members.get("rows", [])
    return isinstance(rows, list) and all(_names_a_cell_only(row) for row in rows)


def _names_a_cell_only(row: object) -> bool:
    return (
        isinstance(row, dict)
        and set(row) <= _ROW_NAMES | _ROW_FIGURES
        and all(row.get(name) is None for name in _ROW_FIGURES)
    )


def release_count(content: bytes) -> int | None:
    """Return the number of contributions that a published release states, None without one."""
    count = _members(content).get("n")
    return count if isinstance(count, int) and not isinstance(count, bool) else None


def answers(content: bytes, question: Question) -> bool:
    """Tell whether a release states this very task and its week."""
    members = _members(content)
    return (members.get("task_digest"), members.get("week")) == (question.digest, question.week)


def withheld_batches(
    leaves: Iterable[ActLeaf],
    acts: Sequence[Act],
    releases: Mapping[int, bytes],
    questions: Mapping[str, Question],
) -> frozenset[int]:
    """
    Return the closed batches of which a release shows that nothing was published.

    Which task a closed batch is of cannot be seen, only its purpose. Hence the release answers a
    task of that purpose which no open batch answers, and one task excuses one batch: an empty
    answer to another question is worth nothing.
    """
    opened = {act.leaf.position for act in acts}
    committed = [each for each in leaves if each.kind is EventType.BATCH_COMMITTED]
    closed = {each.position: each.pd for each in committed if each.position not in opened}
    answered = {
        act.text("task_digest") for act in acts if act.leaf.kind is EventType.BATCH_COMMITTED
    }
    excuses: dict[int, str] = {}
    for act in acts:
        content, batch = releases.get(act.leaf.position), act.body.get("batch_position")
        question = questions.get(act.text("task_digest"))
        if content is None or question is None or type(batch) is not int:
            continue
        if (
            batch in closed
            and batch < act.leaf.position
            and question.purpose_digest == closed[batch] == act.leaf.pd
            and question.digest not in answered
            and sha256_hex(content) == act.body.get("release_sha256")
            and answers(content, question)
            and publishes_nothing(content)
        ):
            answered.add(question.digest)
            excuses.setdefault(batch, question.digest)
    return frozenset(excuses)


def _members(content: bytes) -> dict[str, object]:
    try:
        value = parse_json(content)
    except CanonicalError:
        return {}
    return value if isinstance(value, dict) else {}
