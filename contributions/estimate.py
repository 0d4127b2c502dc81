"""From summed reports to published figures: values, intervals, suppression, statements.

The sum of the noised vectors is unbiased; its 95 % interval covers the noise that privacy
requires, and neither sampling (who chose to take part) nor clipping. A place with fewer reports
than the task's minimum shows no figure. Everything here is post-processing: it costs no privacy.

Two pairs of functions, one for each trust mode; each refuses the other's task with
`TrustModeNotServed`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from contributions.budget import yearly_micro
from contributions.errors import Malformed
from contributions.loss import yearly_pld_micro
from contributions.measurement import decode
from contributions.noise import (
    half_width_95,
    laplace_variance,
    noise_scale,
    noise_vs_two_keepers,
)
from contributions.release import Release
from contributions.release_row import CoordinateNoise, Quality, ReleaseRow
from contributions.task import Task
from contributions.two_keepers import (
    KEEPERS,
    Level,
    keeper_noise_scale,
    released_noise_variance,
)

LOCAL_MECHANISM = "local-discrete-laplace"
LOCAL_TRUST_FR = (
    "Chaque résident ajoute le bruit avant l’envoi : aucun rapport exact ne quitte son espace "
    "personnel, et la confidentialité ne dépend ni de la collectivité ni d’un tiers. Sans second "
    "gardien, ce bruit s’ajoute pour chaque participant et les intervalles sont plus larges. Ils "
    "couvrent ce bruit, et non le choix de participer ni le plafond : une semaine qui, pondérée, "
    "le dépasse est réduite tout entière, dans tous ses chiffres, et quelques dizaines de "
    "kilomètres à pied en plus de trajets ordinaires peuvent y suffire. Les totaux publiés sont "
    "donc plutôt trop bas."
)
LOCAL_TRUST_EN = (
    "Each resident adds the noise before sending: no exact report leaves their personal store, "
    "and privacy depends neither on the authority nor on a third party. Without a second keeper "
    "this noise adds up over participants and the intervals are wider. They cover that noise, "
    "and neither the choice to take part nor the cap: a week that, weighted, exceeds it is shrunk "
    "as a whole, in all its figures, and a few tens of kilometres on foot on top of ordinary trips "
    "can be enough. Published totals are therefore rather too low."
)


TWO_KEEPERS_MECHANISM = "two-keepers-discrete-laplace"
TWO_KEEPERS_TRUST_FR = (
    "Deux gardiens tiennent chacun la moitié de chaque rapport et ajoutent chacun leur bruit à la "
    "somme : la confidentialité tient tant que l’un des deux est honnête. Ensemble, ils pourraient "
    "tout lire. Chacun voit qui participe et depuis quelle commune, et aucun trajet. Les "
    "intervalles couvrent ce bruit, et non le choix de participer ni le plafond : une semaine qui, "
    "pondérée, le dépasse est réduite tout entière. Les totaux publiés sont donc plutôt trop bas."
)
TWO_KEEPERS_TRUST_EN = (
    "Two keepers each hold one half of every report and each add their own noise to the sum: "
    "privacy holds as long as one of them is honest. Together they could read everything. Each "
    "sees who takes part and from which zone, and no trip. The intervals cover that noise, and "
    "neither the choice to take part nor the cap: a week that, weighted, exceeds it is shrunk as a "
    "whole. Published totals are therefore rather too low."
)


def local_rows(
    units: Sequence[int], task: Task, *, zone: str | None, n: int
) -> tuple[ReleaseRow, ...]:
    """Return the rows of one zone (None: the territory) from its summed units and its count.

    `units` holds one sum a coordinate. Below the task's minimum batch every row is suppressed.
    """
    scale = noise_scale(task)
    if n < task.min_batch_size:
        return suppressed_rows(task, zone=zone)
    noise = _Noise(half_width=half_width_95(scale, n), variance=n * laplace_variance(scale))
    return _rows(units, task, zone=zone, n=n, noise=noise)


def two_keepers_rows(
    units: Sequence[int], task: Task, *, zone: str | None, n: int
) -> tuple[ReleaseRow, ...]:
    """Return the rows of one bucket from the totals of both keepers' noised shares.

    As `local_rows`; the interval is that of two draws at the level's part of ε, whatever `n` is.
    """
    level = Level.TERRITORY if zone is None else Level.ZONE
    scale = keeper_noise_scale(task, level)
    if n < task.min_batch_size:
        return suppressed_rows(task, zone=zone)
    noise = _Noise(
        half_width=half_width_95(scale, KEEPERS), variance=released_noise_variance(task, level)
    )
    return _rows(units, task, zone=zone, n=n, noise=noise)


def suppressed_rows(task: Task, *, zone: str | None) -> tuple[ReleaseRow, ...]:
    """Return the rows of a bucket that shows nothing, not even how many reports it has."""
    return tuple(
        ReleaseRow(
            zone=zone,
            measure=coordinate.measure,
            label=coordinate.label,
            value=None,
            ci95_low=None,
            ci95_high=None,
            noise_sd=None,
            n=None,
            quality=Quality.SUPPRESSED,
        )
        for coordinate in task.coordinates
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
    statements = _Statements(
        mechanism=LOCAL_MECHANISM,
        trust_fr=LOCAL_TRUST_FR,
        trust_en=LOCAL_TRUST_EN,
        noise_vs_two_keepers=noise_vs_two_keepers(n),
        sd_units=math.sqrt(n * laplace_variance(noise_scale(task))),
    )
    return _release(
        rows,
        task,
        statements,
        n=n,
        epsilon_week_micro=epsilon_week_micro,
        software_version=software_version,
    )


def two_keepers_release(
    rows: Sequence[ReleaseRow],
    task: Task,
    *,
    n: int,
    epsilon_week_micro: int,
    software_version: str,
) -> Release:
    """Return the release of a two-keeper task with every statement it owes; as `local_release`."""
    statements = _Statements(
        mechanism=TWO_KEEPERS_MECHANISM,
        trust_fr=TWO_KEEPERS_TRUST_FR,
        trust_en=TWO_KEEPERS_TRUST_EN,
        noise_vs_two_keepers=1.0,
        sd_units=math.sqrt(released_noise_variance(task, Level.TERRITORY)),
    )
    return _release(
        rows,
        task,
        statements,
        n=n,
        epsilon_week_micro=epsilon_week_micro,
        software_version=software_version,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statements:
    """What one trust mode says of itself; `sd_units` is of the territory's noise, in units."""

    mechanism: str
    trust_fr: str
    trust_en: str
    noise_vs_two_keepers: float
    sd_units: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noise:
    """The noise in one sum: 95 % half-width in units, variance in units²."""

    half_width: int
    variance: float


def _rows(
    units: Sequence[int], task: Task, *, zone: str | None, n: int, noise: _Noise
) -> tuple[ReleaseRow, ...]:
    if len(units) != len(task.coordinates):
        raise Malformed(f"expected {len(task.coordinates)} sums, saw {len(units)}")
    return tuple(
        ReleaseRow(
            zone=zone,
            measure=coordinate.measure,
            label=coordinate.label,
            value=decode(value, coordinate, task),
            ci95_low=decode(value - noise.half_width, coordinate, task),
            ci95_high=decode(value + noise.half_width, coordinate, task),
            noise_sd=math.sqrt(noise.variance) * decode(1, coordinate, task),
            n=n,
            quality=Quality.PUBLISHED,
        )
        for coordinate, value in zip(task.coordinates, units, strict=True)
    )


def _release(
    rows: Sequence[ReleaseRow],
    task: Task,
    statements: _Statements,
    *,
    n: int,
    epsilon_week_micro: int,
    software_version: str,
) -> Release:
    return Release(
        task_digest=task.digest,
        week=task.week,
        adjacency=task.adjacency,
        trust_mode=task.trust_mode,
        epsilon_micro=task.epsilon_micro,
        epsilon_week_micro=epsilon_week_micro,
        epsilon_52_weeks_micro=yearly_micro(epsilon_week_micro),
        epsilon_52_weeks_pld_micro=yearly_pld_micro(epsilon_week_micro),
        mechanism=statements.mechanism,
        scale=task.scale,
        cap_units=task.cap_units,
        min_batch_size=task.min_batch_size,
        n=n,
        factor_set=task.factor_set,
        noise=tuple(
            CoordinateNoise(
                measure=coordinate.measure,
                label=coordinate.label,
                weight=coordinate.weight,
                noise_sd=statements.sd_units * decode(1, coordinate, task),
            )
            for coordinate in task.coordinates
        ),
        noise_vs_two_keepers=statements.noise_vs_two_keepers,
        trust_fr=statements.trust_fr,
        trust_en=statements.trust_en,
        software_version=software_version,
        rows=tuple(rows),
    )
