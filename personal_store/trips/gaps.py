"""Name the long times without a fix as what they are: gaps.

The engine claims a stay or a movement across many of them (`silences.py`); a gap says that the
claim was read from both ends, and where no claim is made. It changes no stay and no trip.
"""

import numpy as np

from personal_store.trips.silences import LEFT_LATE, MOVED, NONE, Silences
from personal_store.trips.staypoints import Stays
from personal_store.trips.timeline import Gap, GapKind
from personal_store.trips.track import Track, distances_m, moment


def name_gaps(track: Track, silences: Silences, stays: Stays) -> tuple[Gap, ...]:
    """Return every silence by name, in time order; a late leaver's is a stay, then a movement."""
    after = np.flatnonzero(silences.kinds != NONE)
    if len(after) == 0:
        return ()
    # The stay that both sides of the silence lie in, if there is one.
    around = np.searchsorted(stays.first, after - 1, side="right") - 1
    within = (around >= 0) & (len(stays) > 0)
    within[within] = after[within] <= stays.last[around[within]]
    displacements_m = distances_m(track.xyz_m[after], track.xyz_m[after - 1])
    gaps: list[Gap] = []
    for index, is_within, displacement_m in zip(
        after.tolist(), within.tolist(), displacements_m.tolist(), strict=True
    ):
        start_s, end_s = float(track.time_s[index - 1]), float(track.time_s[index])
        kind, left_at_s = silences.kinds[index], float(silences.left_at_s[index])
        if is_within:
            parts = [(GapKind.STAY, start_s, end_s)]
        elif kind == LEFT_LATE:
            parts = [(GapKind.STAY, start_s, left_at_s), (GapKind.MOVEMENT, left_at_s, end_s)]
        else:
            moved = kind == MOVED
            parts = [(GapKind.MOVEMENT if moved else GapKind.ABSENCE, start_s, end_s)]
        gaps += [
            Gap(
                kind=name,
                start=moment(part_start_s),
                end=moment(part_end_s),
                displacement_m=0.0 if name is GapKind.STAY and not is_within else displacement_m,
            )
            for name, part_start_s, part_end_s in parts
            if part_end_s > part_start_s
        ]
    return tuple(gaps)
