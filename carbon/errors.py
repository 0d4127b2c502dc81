"""Everything that `carbon` raises on purpose.

It holds no logic. Each error names the `field` that is wrong, and says what was expected, what was
seen and what to do. The tree::

    CarbonError
    ├── InvalidActivity    a leg that cannot be: distance, occupants, probabilities, date
    ├── UnknownId          a mode, factor or factor set that nobody published
    ├── InvalidFactor      a row of a factor file that breaks the format
    ├── NoFactor           a mode for which the set holds no factor
    ├── DateOutsideSet     a day that no factor of the set covers
    ├── InvalidCost        a price, a distance or a share that cannot be
    └── NoPrice            a mode whose kilometre has no price

>>> issubclass(DateOutsideSet, CarbonError)
True
"""


class CarbonError(Exception):
    """Base of the package's errors.

    Attributes:
        field: the name of the argument, or of the column, that is wrong.

    >>> CarbonError("distance_m", "expected a number, seen none; give metres").field
    'distance_m'

    """

    def __init__(self, field: str, sentence: str) -> None:
        """Keep the field's name beside the sentence."""
        super().__init__(f"{field}: {sentence}")
        self.field = field


class InvalidActivity(CarbonError):
    """A leg's own data are impossible: refuse it, nothing can be computed.

    >>> str(InvalidActivity("occupants", "expected 1 or more, seen 0"))
    'occupants: expected 1 or more, seen 0'
    """


class UnknownId(CarbonError):
    """A name that no enumeration, factor or factor set bears.

    >>> raise UnknownId("mode", "expected a mode, seen 'skates'")
    Traceback (most recent call last):
    carbon.errors.UnknownId: mode: expected a mode, seen 'skates'
    """


class InvalidFactor(CarbonError):
    """A factor that contradicts itself or the format of its file.

    >>> InvalidFactor("u95_percent", "expected 0 or more, seen -1").field
    'u95_percent'
    """


class NoFactor(CarbonError):
    """The set holds no factor for this mode: an error, never zero.

    >>> NoFactor("modes", "the set has none for 'ferry'").field
    'modes'
    """


class DateOutsideSet(CarbonError):
    """The set has the mode, but no factor of it is valid on that day.

    >>> DateOutsideSet("on", "expected a day in the set").field
    'on'
    """


class InvalidCost(CarbonError):
    """A price, a year's distance or an employer's share is impossible.

    >>> InvalidCost("price_eur", "expected 0 or more, seen -1").field
    'price_eur'
    """


class NoPrice(CarbonError):
    """A mode whose kilometre nobody gave a price: an error, never free.

    >>> NoPrice("eur_per_km", "expected a price of 'bus', seen none").field
    'eur_per_km'
    """
