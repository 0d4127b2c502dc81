"""How a release was made, line by line, in the reader's language: what qualifies every figure.

It states what the release states and computes nothing.
"""

from collections.abc import Mapping
from decimal import Decimal

from babel.numbers import format_decimal

from contributions.release import Release
from contributions.task import Adjacency, TrustMode
from coop_aggregator.web.contexts import Fact
from coop_aggregator.web.wording import Wording


def facts_of(release: Release, wording: Wording, *, zones: Mapping[str, str]) -> tuple[Fact, ...]:
    """Return the statements of a release; `zones` names the zones that flows end in."""
    count = (
        wording.number(release.n)
        if release.n
        else wording.say("moins de {minimum}", minimum=str(release.min_batch_size))
    )
    values = (
        (wording.say("Réponses additionnées"), count),
        (
            wording.say("Minimum pour publier un territoire ou une zone"),
            str(release.min_batch_size),
        ),
        (wording.say("Unité protégée"), wording.say("une semaine d'une personne")),
        (wording.say("Voisinage"), _adjacency(release, wording)),
        (wording.say("ε de cette question"), _epsilon(release.epsilon_micro, wording)),
        (wording.say("ε de la semaine"), _epsilon(release.epsilon_week_micro, wording)),
        (wording.say("ε sur 52 semaines"), _epsilon(release.epsilon_52_weeks_micro, wording)),
        (wording.say("δ"), "0"),
        (
            wording.say("Le même, calculé plus finement (δ = un millionième)"),
            _epsilon(release.epsilon_52_weeks_pld_micro, wording),
        ),
        (wording.say("Mécanisme"), _mechanism(release, wording)),
        (
            wording.say("Écart type du bruit (territoire)"),
            _noise(release, wording, zones=zones) if release.n else "",
        ),
        (
            wording.say("Écart type du bruit (par zone)"),
            _zone_noise(release, wording, zones=zones),
        ),
        (
            wording.say("Facteurs d'émission"),
            "" if release.factor_set is None else release.factor_set.name,
        ),
        (wording.say("Version du logiciel"), release.software_version),
        (wording.say("Empreinte de la question"), release.task_digest),
    )
    return tuple(Fact(name=name, value=value) for name, value in values if value)


def _adjacency(release: Release, wording: Wording) -> str:
    if release.adjacency is Adjacency.REPLACEMENT:
        return wording.say("une semaine remplacée par n'importe quelle autre")
    return wording.say("une semaine remplacée par une semaine sans déplacement")


def _mechanism(release: Release, wording: Wording) -> str:
    if release.trust_mode is TrustMode.LOCAL:
        return wording.say("Laplace discret, ajouté par chaque espace personnel")
    return wording.say("Laplace discret, ajouté par chacun des deux gardiens")


def _noise(release: Release, wording: Wording, *, zones: Mapping[str, str]) -> str:
    return ", ".join(
        f"{wording.part(level.key, zones)} {wording.amount(level.noise_sd, level.measure.unit)}"
        for level in release.noise
    )


def _zone_noise(release: Release, wording: Wording, *, zones: Mapping[str, str]) -> str:
    """Return the noise in each figure of a zone; where zones differ, the least and the most."""
    said = []
    for level in release.noise:
        found = [
            row.noise_sd
            for row in release.rows
            if row.zone is not None and row.key == level.key and row.noise_sd is not None
        ]
        if not found:
            continue
        amount = wording.amount(max(found), level.measure.unit)
        if min(found) != max(found):
            least = wording.amount(min(found), level.measure.unit)
            amount = wording.say("de {least} à {most}", least=least, most=amount)
        said.append(f"{wording.part(level.key, zones)} {amount}")
    return ", ".join(said)


def _epsilon(micro: int, wording: Wording) -> str:
    value = Decimal(micro).scaleb(-6).normalize()
    return format_decimal(value, format="#,##0.######", locale=wording.locale)
