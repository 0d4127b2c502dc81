"""`python -m carbon`: the footprint of one leg, on the command line.

    python -m carbon --mode car_petrol --distance-km 100 --occupants 2 --date 2026-11-02 --json

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

from carbon.errors import CarbonError, UnknownId
from carbon.factors import LATEST, FactorSet, load_factor_set
from carbon.footprint import Footprint, Interval, LegActivity, leg_footprint
from carbon.modes import TransportMode, parse_mode


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (the process's own by default); return its exit code.

    >>> main(["--mode", "bus", "--distance-km", "1", "--json"])  # doctest: +ELLIPSIS
    {"mode": "bus", "distance_km": 1.0, ...}
    0
    """
    try:
        options = _parser().parse_args(arguments)
        factor_set = load_factor_set(options.factor_set)
        leg = LegActivity(
            modes={options.mode: 1.0},
            distance_m=options.distance_km * 1000,
            on=options.date or factor_set.last_day,
            occupants=options.occupants,
        )
        footprint = leg_footprint(leg, factor_set)
    except _Unreadable as error:
        sys.stderr.write(f"carbon: {error}\n")
        return 2
    except CarbonError as error:
        sys.stderr.write(f"carbon: {error}\n")
        return 1
    answer = _document(leg, footprint, factor_set) if options.json else _text(footprint, factor_set)
    sys.stdout.write(answer + "\n")
    return 0


class _Unreadable(Exception):
    """The arguments cannot be read."""


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
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
    parser.add_argument("--factor-set", default=LATEST, metavar="NAME", help=f"default: {LATEST}")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    return parser


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


def _document(leg: LegActivity, footprint: Footprint, factor_set: FactorSet) -> str:
    (mode,) = leg.modes
    document = {
        "mode": mode.value,
        "distance_km": leg.distance_m / 1000,
        "occupants": leg.occupants,
        "date": leg.on.isoformat(),
        "usage_kg_co2e": _figures(footprint.usage),
        "life_cycle_kg_co2e": _figures(footprint.life_cycle),
        "factor_ids": list(footprint.factor_ids),
        "factors": [
            {
                "id": factor.id,
                "label": factor.label,
                "unit": factor.unit.value,
                "source": f"{factor.source} {factor.source_version}, {factor.source_id}",
                "year": factor.year,
                "evidence": factor.evidence.value,
                "u95_basis": factor.u95_basis.value,
            }
            for factor in map(factor_set.factor, footprint.factor_ids)
        ],
        "factor_set": {"name": factor_set.name, "sha256": footprint.factor_set_sha256},
    }
    return json.dumps(document)


def _figures(interval: Interval) -> dict[str, float]:
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def _text(footprint: Footprint, factor_set: FactorSet) -> str:
    lines = [
        _sentence("Usage, du puits à la roue / well-to-wheel", footprint.usage),
        _sentence("Cycle de vie / life cycle", footprint.life_cycle),
        "Intervalles à 95 % / 95 % intervals. Facteurs / factors:",
    ]
    lines.extend(
        f"  {factor.id}: {factor.label}, {factor.year}, kgCO2e/{factor.unit.value}, "
        f"{factor.source} {factor.source_version}, {factor.source_id}, "
        f"preuve / evidence {factor.evidence.value}"
        for factor in map(factor_set.factor, footprint.factor_ids)
    )
    lines.append(f"{factor_set.name} sha256:{footprint.factor_set_sha256}")
    return "\n".join(lines)


def _sentence(title: str, mass: Interval) -> str:
    return f"{title}: {mass.value:.3f} kgCO2e [{mass.low:.3f} ; {mass.high:.3f}]"


if __name__ == "__main__":
    sys.exit(main())
