"""What of a week counts: its trips within the days and places of the consent, and no other.

All of it happens here: neither the limits nor the trips that they leave out go anywhere. What the
limits are is read from the signed body; whether the week may leave is the gate's question.
"""

from dataclasses import replace

from sqlalchemy import Connection

from carbon.errors import UnknownId
from carbon.factors import FactorSet, load_factor_set
from consents.records.limits import ConsentArea, ConsentLimits
from contributions.task import Task
from personal_store.db import memberships, trips
from personal_store.errors import NotAnswerable
from personal_store.gate import WeekFigures
from personal_store.local_time import local_date
from personal_store.measuring import week_figures
from personal_store.trips.timeline import Trip
from personal_store.zones import Outlines


def week_of_task(
    connection: Connection, task: Task, zone: str, limits: ConsentLimits | None = None
) -> WeekFigures:
    """Return the figures that a task asks of its week, from the stored trips.

    Of `limits`, only trips count that began on one of its weekdays (at home), and of which the
    first and the last point lie in its area. Raises NotAnswerable for what this version, its
    factors or its outlines cannot count.
    """
    period = task.period
    weekdays = None if limits is None else limits.weekdays
    area = None if limits is None else limits.area
    every = [each.trip for each in trips.between(connection, start=period.start, end=period.end)]
    counted = [
        trip
        for trip in every
        if weekdays is None or local_date(trip.start).isoweekday() in weekdays
    ]
    if area is not None:
        outlines = _outlines(connection, area.outlines_sha256)
        counted = [trip for trip in counted if _lies_in(trip, area, outlines)]
    week = week_figures(
        counted,
        task,
        zone=zone,
        factors=_factors(task),
        outlines=_outlines(connection, task.territory_sha256) if task.territory_sha256 else None,
    )
    return replace(week, weekdays=weekdays, area=area, trips_left_out=len(every) - len(counted))


def _lies_in(trip: Trip, area: ConsentArea, outlines: Outlines) -> bool:
    ends = (trip.triplegs[0].track[0], trip.triplegs[-1].track[-1])
    found = [outlines.zone_of(end) for end in ends]
    return all(zone is not None and zone.code in area.zones for zone in found)


def _factors(task: Task) -> FactorSet | None:
    """Return the very factors that a task names, None where it names none."""
    if task.factor_set is None:
        return None
    try:
        known = load_factor_set(task.factor_set.name)
    except UnknownId:
        known = None
    if known is None or known.sha256 != task.factor_set.sha256:
        raise NotAnswerable(
            fr=f"Cette question compte les kgCO2e avec les facteurs « {task.factor_set.name} », "
            "que cette version n'a pas à l'identique : rien ne part. Mettez le programme à jour.",
            en=f"This question counts kgCO2e with the factors “{task.factor_set.name}”, which "
            "this version does not have to the byte: nothing leaves. Update the program.",
        )
    return known


def _outlines(connection: Connection, digest: str) -> Outlines:
    """Return the very outlines that a task or a consent names."""
    document = memberships.territory_document(connection, digest)
    if document is None:
        raise NotAnswerable(
            fr="Il faut le tracé des zones pour compter cette semaine, et la coopérative ne l'a "
            "pas donné : rien ne part. Relancez « tasks », ou prévenez-la.",
            en="The outlines of the zones are needed to count this week, and the cooperative did "
            "not give them: nothing leaves. Run “tasks” again, or tell them.",
        )
    return Outlines(document, name=digest)
