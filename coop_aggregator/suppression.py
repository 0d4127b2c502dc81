"""Which zones may be shown: large enough, and giving no smaller group away by subtraction.

One rule for every trust mode; under two keepers each of them applies it to its own counts.
"""

from collections.abc import Mapping


def publishable(counts: Mapping[str, int], *, min_batch_size: int) -> frozenset[str]:
    """Return the zones to show, from how many reports each has.

    The territory minus the published zones is a group that any reader can compute. When it holds
    some reports but fewer than the minimum, the smallest published zone is held back as well, until
    what can be subtracted is a lawful group of its own.
    """
    shown = {zone: count for zone, count in counts.items() if count >= min_batch_size}
    hidden = sum(counts.values()) - sum(shown.values())
    while shown and 0 < hidden < min_batch_size:
        smallest = min(shown, key=lambda code: (shown[code], code))
        hidden += shown.pop(smallest)
    return frozenset(shown)
