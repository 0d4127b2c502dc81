"""`python -m carbon`: the footprint of one leg, on the command line.

    python -m carbon --mode car_petrol --distance-km 100 --occupants 2 --date 2026-11-02 --json
    python -m carbon --mode car --distance-km 100 --energy petrol --per-100-km 6.2
    python -m carbon --mode train_tgv --distance-km 470 --date 2019-07-01 --against factors-2026-11

It exits 0 with the figures on stdout, 1 if the leg cannot be computed, 2 if an argument cannot be
read; both with one line on stderr. Without `--date` it takes the last day that the factor set
covers, not today: the same command always gives the same figures.

>>> main(["--mode", "walk", "--distance-km", "1"])  # doctest: +ELLIPSIS
Usage, du puits à la roue / well-to-wheel: 0.000 kgCO2e [0.000 ; 0.000]
...
0
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date
from typing import NoReturn

from carbon.differences import Recomputation, recompute
from carbon.energies import Consumption
from carbon.errors import CarbonError, UnknownId
from carbon.factors import (
    LATEST,
    EmissionFactor,
    Energy,
    EnergyFactor,
    FactorSet,
    load_factor_set,
)
from carbon.footprint import Footprint, Interval, LegActivity, leg_footprint
from carbon.modes import TransportMode, parse_mode
from carbon.uncertainty import SignedInterval


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (the process's own by default); return its exit code.

    >>> main(["--mode", "bus", "--distance-km", "1", "--json"])  # doctest: +ELLIPSIS
    {"mode": "bus", "distance_km": 1.0, ...}
    0
    """
    try:
        options = _parser().parse_args(arguments)
        factor_set = load_factor_set(options.factor_set)
        leg = _leg(options, factor_set)
        footprint = leg_footprint(leg, factor_set, contrails=not options.no_contrails)
        report = _recomputed(options, leg, factor_set)
    except _Unreadable as error:
        sys.stderr.write(f"carbon: {error}\n")
        return 2
    except CarbonError as error:
        sys.stderr.write(f"carbon: {error}\n")
        return 1
    if options.json:
        document = _document(leg, footprint, factor_set) | _changes(report)
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        sys.stdout.write("\n".join(_text(footprint, factor_set) + _changed_text(report)) + "\n")
    return 0


class _Unreadable(Exception):
    """The arguments cannot be read."""


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Raise what is wrong on one line, where argparse would print its usage and exit."""
        raise _Unreadable(f"{' '.join(message.split())}; see python -m carbon --help")


def _parser() -> argparse.ArgumentParser:
    parser = _OneLineParser(
        prog="python -m carbon",
        description="Empreinte d'un trajet, par personne / footprint of one leg, per person.",
        allow_abbrev=False,
    )
    parser.add_argument("--mode", required=True, type=_mode, help=", ".join(TransportMode))
    parser.add_argument("--distance-km", required=True, type=float, metavar="KM")
    parser.add_argument("--occupants", type=float, default=1.0, help="1 or more, default 1")
    parser.add_argument(
        "--date", type=_date, help="YYYY-MM-DD; default: the last day that the set covers"
    )
    energies = ", ".join(Energy)
    parser.add_argument("--energy", type=_energy, help=f"of a measured consumption: {energies}")
    parser.add_argument("--per-100-km", type=float, metavar="L|KWH", help="measured, L or kWh")
    parser.add_argument("--country", default="FR", help="where it was charged, default FR")
    parser.add_argument("--no-contrails", action="store_true", help="leave contrails out")
    parser.add_argument("--against", metavar="NAME", help="report what this factor set changes")
    parser.add_argument("--factor-set", default=LATEST, metavar="NAME", help=f"default: {LATEST}")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    return parser


def _leg(options: argparse.Namespace, factor_set: FactorSet) -> LegActivity:
    if (options.energy is None) != (options.per_100_km is None):
        raise _Unreadable("--energy and --per-100-km: expected both or none; see --help")
    return LegActivity(
        modes={options.mode: 1.0},
        distance_m=options.distance_km * 1000,
        on=options.date or factor_set.last_day,
        occupants=options.occupants,
        consumption=None
        if options.energy is None
        else Consumption(
            energy=options.energy, per_100_km=options.per_100_km, country=options.country
        ),
    )


def _recomputed(
    options: argparse.Namespace, leg: LegActivity, factor_set: FactorSet
) -> Recomputation | None:
    if options.against is None:
        return None
    other = load_factor_set(options.against)
    return recompute([leg], factor_set, other, contrails=not options.no_contrails)


def _energy(text: str) -> Energy:
    try:
        return Energy(text)
    except ValueError as error:
        message = f"expected one of {', '.join(Energy)}, seen {text!r}"
        raise argparse.ArgumentTypeError(message) from error


def _mode(text: str) -> TransportMode:
    try:
        return parse_mode(text)
    except UnknownId as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        message = f"expected a day as YYYY-MM-DD, seen {text!r}"
        raise argparse.ArgumentTypeError(message) from error


def _document(leg: LegActivity, footprint: Footprint, factor_set: FactorSet) -> dict[str, object]:
    (mode,) = leg.modes
    return {
        "mode": mode.value,
        "distance_km": leg.distance_m / 1000,
        "occupants": leg.occupants,
        "date": leg.on.isoformat(),
        "usage_kg_co2e": _figures(footprint.usage),
        "life_cycle_kg_co2e": _figures(footprint.life_cycle),
        "factor_ids": list(footprint.factor_ids),
        "factors": [_provenance(factor_set, each) for each in footprint.factor_ids],
        "fallbacks": list(footprint.fallbacks),
        "factor_set": {"name": factor_set.name, "sha256": footprint.factor_set_sha256},
    }


def _provenance(factor_set: FactorSet, factor_id: str) -> dict[str, object]:
    factor = _factor(factor_set, factor_id)
    return {
        "id": factor.id,
        "label": factor.label,
        "unit": factor.energy.unit if isinstance(factor, EnergyFactor) else factor.unit.value,
        "source": f"{factor.source} {factor.source_version}, {factor.source_id}",
        "year": factor.year,
        "evidence": factor.evidence.value,
        "u95_basis": factor.u95_basis.value,
    }


def _factor(factor_set: FactorSet, factor_id: str) -> EmissionFactor | EnergyFactor:
    energies = {energy.id: energy for energy in factor_set.energies}
    return energies.get(factor_id) or factor_set.factor(factor_id)


def _changes(report: Recomputation | None) -> dict[str, object]:
    if report is None:
        return {}
    difference = report.difference
    return {
        "against": {
            "factor_set_sha256": difference.after.factor_set_sha256,
            "usage_kg_co2e": _figures(difference.after.usage),
            "life_cycle_kg_co2e": _figures(difference.after.life_cycle),
            "change_usage_kg_co2e": _figures(difference.usage),
            "change_life_cycle_kg_co2e": _figures(difference.life_cycle),
            "moves": [
                {
                    "mode": move.mode.value,
                    "before": list(move.before),
                    "after": list(move.after),
                    "life_cycle_kg_co2e": move.life_cycle_kg,
                }
                for move in report.moves
            ],
        }
    }


def _changed_text(report: Recomputation | None) -> list[str]:
    if report is None:
        return []
    change = report.difference.life_cycle
    lines = [
        _sentence("Autre jeu, cycle de vie / other set", report.difference.after.life_cycle),
        f"Changement / change: {change.value:+.3f} kgCO2e [{change.low:+.3f} ; {change.high:+.3f}]",
    ]
    lines.extend(
        f"  {move.mode.value}: {', '.join(move.before)} -> {', '.join(move.after)}"
        for move in report.moves
    )
    return lines


def _figures(interval: Interval | SignedInterval) -> dict[str, float]:
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def _text(footprint: Footprint, factor_set: FactorSet) -> list[str]:
    lines = [
        _sentence("Usage, du puits à la roue / well-to-wheel", footprint.usage),
        _sentence("Cycle de vie / life cycle", footprint.life_cycle),
        "Intervalles à 95 % / 95 % intervals. Facteurs / factors:",
    ]
    lines.extend(
        f"  {each['id']}: {each['label']}, {each['year']}, kgCO2e/{each['unit']}, "
        f"{each['source']}, preuve / evidence {each['evidence']}"
        for each in (_provenance(factor_set, factor_id) for factor_id in footprint.factor_ids)
    )
    lines.extend(f"À défaut / for want of better: {text}" for text in footprint.fallbacks)
    lines.append(f"{factor_set.name} sha256:{footprint.factor_set_sha256}")
    return lines


def _sentence(title: str, mass: Interval) -> str:
    return f"{title}: {mass.value:.3f} kgCO2e [{mass.low:.3f} ; {mass.high:.3f}]"


if __name__ == "__main__":
    sys.exit(main())
