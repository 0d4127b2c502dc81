"""Where a consent stands by the leaves that this cooperative itself let in.

Whose word counted was settled as each leaf came in (`intake`), so that it is not asked again: a
steward who left since vouched for whom they vouched. Auditors, who let nothing in, hold the same
leaves to the keys that they trust.
"""

from collections.abc import Iterable

from consents.records.decision import ConsentState, consent_state
from consents.records.receipt import EventType, read_event
from coop_aggregator.db.shards import Shards


def standing(leaves: Iterable[bytes], shards: Shards) -> ConsentState | None:
    """Return where the chain of these leaves stands, None without any."""
    events = [read_event(leaf) for leaf in leaves]
    vouched = {each.payload.kid for each in events if each.payload.t is EventType.KEY_RECOVERED}
    return consent_state(
        events,
        log_origin=shards.current.origin,
        earlier=shards.origins,
        operator_kids=shards.kids,
        steward_kids=vouched,
    )
