"""From a resident's week to the bounded vector of a task, in exact arithmetic.

One joint cap covers all coordinates of all measures: with u_m = Q·x_m/(W_m·S), the vector is
z_m = floor(u_m · min(1, Q/Σu)), so that Σz ≤ Q for every input, whatever its values.
Rounding is down only: rounding to nearest after capping could reach Q + 1.

It adds no noise and knows no resident: it is the last exact value, and never leaves as it is.
Source: design page on privacy, section (b) step 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor, isfinite

from contributions.errors import MeasurementRefused
from contributions.measures import Coordinate, Key
from contributions.task import Task


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


def encode(values: Mapping[Key, Fraction | float], task: Task) -> Measurement:
    """Encode one week of values, each in its measure's unit, by measure and label.

    A key absent counts zero, so that a quiet week is a report like any other. Floats are taken
    at their exact binary value. Raises `MeasurementRefused` for an unknown key or a value that
    is negative, not finite or not a number: an unknown is never silently dropped.
    """
    unknown = values.keys() - {coordinate.key for coordinate in task.coordinates}
    if unknown:
        raise MeasurementRefused(
            f"expected only the {len(task.coordinates)} coordinates of the task, "
            f"saw {len(unknown)} others; bring every value to a coordinate first"
        )
    units = [
        task.cap_units * _exact(values.get(coordinate.key, 0)) / _full(coordinate, task)
        for coordinate in task.coordinates
    ]
    total = sum(units, start=Fraction(0))
    clipped = total > task.cap_units
    shrink = Fraction(task.cap_units) / total if clipped else Fraction(1)
    return Measurement(vector=tuple(floor(unit * shrink) for unit in units), clipped=clipped)


def decode(units: int, coordinate: Coordinate, task: Task) -> float:
    """Return what a sum of `units` stands for in the measure's unit: units · W·S/Q, any sign."""
    return float(units * _full(coordinate, task) / task.cap_units)


def _full(coordinate: Coordinate, task: Task) -> Fraction:
    """Return W·S, the value that fills the whole cap by itself, in the measure's unit."""
    return coordinate.weight * task.scale


def _exact(value: Fraction | float) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, (int, float, Fraction)):
        raise MeasurementRefused(f"expected a number, saw {type(value).__name__}")
    if (isinstance(value, float) and not isfinite(value)) or value < 0:
        raise MeasurementRefused("expected values that are finite and not negative")
    return Fraction(value)
