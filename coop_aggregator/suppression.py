"""Which zones may be shown: large enough, and giving no smaller group away by subtraction.

One rule for every trust mode; under two keepers each of them applies it to its own counts. It reads
how many reports each zone has and nothing of what they say. Weeks that ε compares, a resident's own
and the empty one or any other, have the same reports: what is held back is the same for both, so
that holding back costs no ε. That somebody takes part is what this rule is for, and ε is not.
"""

from collections.abc import Mapping


def publishable(counts: Mapping[str, int], *, min_batch_size: int) -> frozenset[str]:
    """Return the zones to show, from how many reports each has; `counts` names every zone.

    The territory minus the published zones is a group that any reader can compute. Unless every
    zone is shown, it has at least the minimum of reports: the smallest published zone is held back
    as well until that is so. An empty remainder is no exception, since a reader would know that
    each of the zones held back has nobody, and see the day when one of them has somebody.
    """
    shown = {zone: count for zone, count in counts.items() if count >= min_batch_size}
    remainder = sum(counts.values()) - sum(shown.values())
    while shown and len(shown) < len(counts) and remainder < min_batch_size:
        smallest = min(shown, key=lambda code: (shown[code], code))
        remainder += shown.pop(smallest)
    return frozenset(shown)
