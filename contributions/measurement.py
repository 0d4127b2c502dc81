"""From a resident's kilometres to the bounded vector of a task, in exact arithmetic.

One joint cap covers all modes: with u_m = Q·x_m/(W_m·S), the vector is
z_m = floor(u_m · min(1, Q/Σu)), so that Σz ≤ Q for every input, whatever its kilometres.
Rounding is down only: rounding to nearest after capping could reach Q + 1.

It adds no noise and knows no resident: it is the last exact value, and never leaves as it is.
Source: design page on privacy, section (b) step 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor, isfinite

from contributions.errors import MeasurementRefused
from contributions.task import Coordinate, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The exact vector of one resident-week, one non-negative integer a coordinate.

    Privacy: private to the store; `repr` shows its length only. `clipped` says that the week
    went over the joint cap and was scaled down to it.
    """

    vector: tuple[int, ...]
    clipped: bool

    def __repr__(self) -> str:
        """Show no value: a vector in a log would be a leak."""
        return f"Measurement(<{len(self.vector)} coordinates>)"


def encode(kilometres: Mapping[str, Fraction | float], task: Task) -> Measurement:
    """Encode one week of kilometres by coordinate label.

    A label absent counts zero, so that a quiet week is a report like any other. Floats are taken
    at their exact binary value. Raises `MeasurementRefused` for an unknown label or a value that
    is negative, not finite or not a number: an unknown is never silently dropped.
    """
    unknown = kilometres.keys() - {coordinate.label for coordinate in task.coordinates}
    if unknown:
        raise MeasurementRefused(
            f"expected only the {len(task.coordinates)} labels of the task, "
            f"saw {len(unknown)} others; map every mode to a label first"
        )
    units = [
        task.cap_units * _exact(kilometres.get(coordinate.label, 0)) / _full_km(coordinate, task)
        for coordinate in task.coordinates
    ]
    total = sum(units, start=Fraction(0))
    clipped = total > task.cap_units
    shrink = Fraction(task.cap_units) / total if clipped else Fraction(1)
    return Measurement(vector=tuple(floor(unit * shrink) for unit in units), clipped=clipped)


def decode_km(units: int, coordinate: Coordinate, task: Task) -> float:
    """Return the kilometres that a sum of `units` stands for: units · W·S/Q, of either sign."""
    return float(units * _full_km(coordinate, task) / task.cap_units)


def _full_km(coordinate: Coordinate, task: Task) -> Fraction:
    """Return W·S, the kilometres that fill the whole cap by themselves."""
    return coordinate.weight_km * task.scale


def _exact(value: Fraction | float) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, (int, float, Fraction)):
        raise MeasurementRefused(f"expected kilometres, saw {type(value).__name__}")
    if (isinstance(value, float) and not isfinite(value)) or value < 0:
        raise MeasurementRefused("expected kilometres that are finite and not negative")
    return Fraction(value)
