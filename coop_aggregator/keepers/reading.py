"""What the second operator reads before signing: a whole task in plain words, in one language.

Nothing of the task stays unsaid but keys: what is measured and the weight of each part, where,
when, the price in privacy and how it is split, the cap, the minimum, the purpose with its very
text. It decides nothing; that a task stays within its purpose was checked as it came in.
"""

import unicodedata
from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.numbers import format_decimal

from consents.records.record import Purpose
from contributions.measures import Measure
from contributions.task import Adjacency, Task
from contributions.two_keepers import expires_at
from contributions.weeks import TIME_ZONE_NAME
from coop_aggregator.settings import Language
from coop_aggregator.web.wording import Wording

_MICRO = 1_000_000


def read_out(task: Task, purpose: Purpose, wording: Wording) -> str:
    """Return the text, one fact a line; `purpose` is the one that the task names by digest."""
    english = wording.language is Language.ENGLISH
    lines = [
        task.title_en if english else task.title_fr,
        *_when(task, wording),
        *_what(task, wording),
        *_where(task, wording),
        *_privacy(task, wording),
        *_why(purpose, wording),
        *_who(task, wording),
    ]
    return "\n  ".join(map(_visible, lines))


def _visible(line: str) -> str:
    """Replace what a terminal would obey or hide: another organisation wrote these words."""
    return "".join(
        each
        if each.isprintable() or unicodedata.category(each) == "Zs"
        else "\N{REPLACEMENT CHARACTER}"
        for each in line
    )


def _when(task: Task, wording: Wording) -> Iterator[str]:
    period = task.period
    yield wording.say(
        "Semaine {week} : de {start} à {end}",
        week=task.week,
        start=_moment(period.start, wording),
        end=_moment(period.end, wording),
    )
    yield wording.say(
        "Réponses acceptées jusqu'à {end} ; passé {expiry}, ce qui n'est pas publié ne le sera "
        "plus",
        end=_moment(task.report_deadline, wording),
        expiry=_moment(expires_at(task), wording),
    )
    yield wording.say("Heures de Paris.")


def _what(task: Task, wording: Wording) -> Iterator[str]:
    zones = {zone.code: zone.name for zone in task.zones}
    yield wording.say(
        "Ce qui est demandé : {count} nombres. Entre parenthèses, une semaine chargée (poids W).",
        count=str(len(task.coordinates)),
    )
    for measure in task.measures:
        parts = (
            f"{wording.part(each.key, zones)} ({wording.number(each.weight)})"
            for each in task.coordinates
            if each.measure is measure
        )
        yield wording.say(
            "  {name}, {unit} [{key}] : {parts}",
            name=wording.measure(measure),
            unit=wording.unit(measure.unit),
            key=measure.value,
            parts=", ".join(parts),
        )
    if task.factor_set is not None:
        yield wording.say(
            "Facteurs d'émission : {name}, SHA-256 {sha256}",
            name=task.factor_set.name,
            sha256=task.factor_set.sha256,
        )


def _where(task: Task, wording: Wording) -> Iterator[str]:
    listed = ", ".join(f"{zone.name} ({zone.code})" for zone in task.zones)
    yield wording.say(
        "Zones de résidence ({count}) : {listed}", count=str(len(task.zones)), listed=listed
    )
    if Measure.FLOWS in task.measures:
        yield wording.say(
            "Contours des zones d'arrivée : SHA-256 {sha256}", sha256=task.territory_sha256
        )


def _privacy(task: Task, wording: Wording) -> Iterator[str]:
    yield wording.say(
        "Perte de confidentialité : ε = {whole} par résident et semaine, dont {territory} pour le "
        "territoire et {zones} pour les zones ; deux semaines comparées : {adjacency}",
        whole=_epsilon(task.epsilon_micro, wording),
        territory=_epsilon(task.epsilon_territory_micro, wording),
        zones=_epsilon(task.epsilon_zone_micro, wording),
        adjacency=wording.say("une semaine quelconque et une autre")
        if task.adjacency is Adjacency.REPLACEMENT
        else wording.say("une semaine quelconque et une semaine vide"),
    )
    yield wording.say(
        "Plafond commun : {cap} unités (Q) ; échelle S = {scale}",
        cap=wording.number(task.cap_units),
        scale=str(task.scale),
    )
    yield wording.say(
        "Moins de {minimum} réponses pour une zone ou le territoire : rien n'en est publié",
        minimum=wording.number(task.min_batch_size),
    )


def _why(purpose: Purpose, wording: Wording) -> Iterator[str]:
    english = wording.language is Language.ENGLISH
    yield wording.say(
        "Finalité : {title} (version {version}), SHA-256 {digest}",
        title=purpose.title_en if english else purpose.title_fr,
        version=purpose.version,
        digest=purpose.digest,
    )
    yield wording.say(
        "Elle permet au plus ε = {epsilon} par semaine et ces données : {fields}",
        epsilon=_epsilon(purpose.epsilon_week_micro, wording),
        fields=", ".join(purpose.fields),
    )
    yield wording.say("Son texte : {text}", text=purpose.text_en if english else purpose.text_fr)


def _who(task: Task, wording: Wording) -> Iterator[str]:
    yield wording.say(
        "Posée par {name}, journal {origin}", name=task.aggregator_name, origin=task.log_origin
    )
    for keeper in task.keepers:
        yield wording.say("Gardien : {name}, {url}", name=keeper.name, url=keeper.url)
    yield wording.say("Empreinte de la question : {digest}", digest=task.digest)


def _moment(moment: datetime, wording: Wording) -> str:
    local = moment.astimezone(ZoneInfo(TIME_ZONE_NAME))
    return format_datetime(local, "EEEE d MMMM y HH:mm", locale=wording.locale)


def _epsilon(micro: int, wording: Wording) -> str:
    value = float(Fraction(micro, _MICRO))
    return format_decimal(value, format="#,##0.######", locale=wording.locale)
