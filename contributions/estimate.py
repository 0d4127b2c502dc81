"""From summed reports to published figures: kilometres, intervals, suppression, statements.

The sum of the noised vectors is unbiased; its 95 % interval covers the noise that privacy
requires, and neither sampling (who chose to take part) nor clipping. A place with fewer reports
than the task's minimum shows no figure. Everything here is post-processing: it costs no privacy.

It serves trust mode `local`; a task of two keepers is refused with `TrustModeNotServed`.
"""

from collections.abc import Sequence

from contributions.budget import yearly_micro
from contributions.errors import Malformed
from contributions.measurement import decode_km
from contributions.noise import half_width_95, noise_scale, noise_sd_km, noise_vs_two_keepers
from contributions.release import ModeNoise, Quality, Release, ReleaseRow
from contributions.task import Task

LOCAL_MECHANISM = "local-discrete-laplace"
LOCAL_TRUST_FR = (
    "Chaque résident ajoute le bruit avant l’envoi : aucun rapport exact ne quitte son espace "
    "personnel, et la confidentialité ne dépend ni de la collectivité ni d’un tiers. Sans second "
    "gardien, ce bruit s’ajoute pour chaque participant et les intervalles sont plus larges. Ils "
    "couvrent ce bruit, et non le choix de participer ni le plafond : une semaine dont les "
    "kilomètres, pondérés par mode, le dépassent est réduite tout entière, dans tous ses modes, et "
    "quelques dizaines de kilomètres à pied en plus de trajets ordinaires peuvent y suffire. Les "
    "totaux publiés sont donc plutôt trop bas."
)
LOCAL_TRUST_EN = (
    "Each resident adds the noise before sending: no exact report leaves their personal store, "
    "and privacy depends neither on the authority nor on a third party. Without a second keeper "
    "this noise adds up over participants and the intervals are wider. They cover that noise, "
    "and neither the choice to take part nor the cap: a week whose kilometres, weighted by mode, "
    "exceed it is shrunk as a whole, in all its modes, and a few tens of kilometres on foot on top "
    "of ordinary trips can be enough. Published totals are therefore rather too low."
)


def local_rows(
    units: Sequence[int], task: Task, *, zone: str | None, n: int
) -> tuple[ReleaseRow, ...]:
    """Return the rows of one zone (None: the territory) from its summed units and its count.

    `units` holds one sum a coordinate. Below the task's minimum batch every row is suppressed.
    """
    if len(units) != len(task.coordinates):
        raise Malformed(f"expected {len(task.coordinates)} sums, saw {len(units)}")
    scale = noise_scale(task)
    if n < task.min_batch_size:
        return tuple(
            ReleaseRow(
                zone=zone,
                mode=coordinate.label,
                km=None,
                ci95_low=None,
                ci95_high=None,
                n=None,
                quality=Quality.SUPPRESSED,
            )
            for coordinate in task.coordinates
        )
    half_width = half_width_95(scale, n)
    return tuple(
        ReleaseRow(
            zone=zone,
            mode=coordinate.label,
            km=decode_km(value, coordinate, task),
            ci95_low=decode_km(value - half_width, coordinate, task),
            ci95_high=decode_km(value + half_width, coordinate, task),
            n=n,
            quality=Quality.PUBLISHED,
        )
        for coordinate, value in zip(task.coordinates, units, strict=True)
    )


def local_release(
    rows: Sequence[ReleaseRow],
    task: Task,
    *,
    n: int,
    epsilon_week_micro: int,
    software_version: str,
) -> Release:
    """Return the release of a `local` task with every statement it owes its readers.

    `n` counts all reports summed, at least 1; `epsilon_week_micro` is ε of all tasks of that
    week together, at least this task's.
    """
    return Release(
        task_digest=task.digest,
        week=task.week,
        adjacency=task.adjacency,
        trust_mode=task.trust_mode,
        epsilon_micro=task.epsilon_micro,
        epsilon_week_micro=epsilon_week_micro,
        epsilon_52_weeks_micro=yearly_micro(epsilon_week_micro),
        mechanism=LOCAL_MECHANISM,
        scale=task.scale,
        cap_units=task.cap_units,
        min_batch_size=task.min_batch_size,
        n=n,
        noise=tuple(
            ModeNoise(
                mode=coordinate.label,
                weight_km=coordinate.weight_km,
                noise_sd_km=noise_sd_km(task, coordinate, n),
            )
            for coordinate in task.coordinates
        ),
        noise_vs_two_keepers=noise_vs_two_keepers(n),
        trust_fr=LOCAL_TRUST_FR,
        trust_en=LOCAL_TRUST_EN,
        software_version=software_version,
        rows=tuple(rows),
    )
