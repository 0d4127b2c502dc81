"""Numbers and counts in two languages, held against CLDR where it says the same."""

import random

import pytest
from babel.numbers import format_decimal

from personal_store.wording import NARROW, number, percent, several, several_en, shortest


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("decimals", [0, 1, 2])
def test_a_number_is_written_as_cldr_says(language, decimals) -> None:
    rng = random.Random(decimals)
    pattern = "#,##0." + "0" * decimals if decimals else "#,##0"
    # Eighths are exact, so that no two roundings can part; halves go to the even digit in both.
    for value in [
        0,
        12_345.5,
        -9_876_543.25,
        *(rng.randint(-8_000_000, 8_000_000) / 8 for _ in range(200)),
    ]:
        expected = format_decimal(value, format=pattern, locale=language)
        assert number(value, language, decimals=decimals) == expected.replace("-0,0", "0,0")


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert number(-0.04, "fr") == "0,0"
    assert number(-0.4, "en", decimals=0, signed=True) == "+0"


def test_a_french_percent_sign_stands_apart_and_stays_on_the_line() -> None:
    assert percent(0.876, "fr") == f"88{NARROW}%"
    assert percent(0.876, "en") == "88%"


def test_a_short_number_keeps_only_the_decimals_it_needs() -> None:
    assert [shortest(each, "fr") for each in (0.25, 3.0, 1e-6)] == ["0,25", "3", "1e-06"]


@pytest.mark.parametrize(
    ("count", "fr", "en"),
    [
        (0, "0 arrêt", "0 stops"),
        (1, "1 arrêt", "1 stop"),
        (2, "2 arrêts", "2 stops"),
        (1234, f"1{NARROW}234 arrêts", "1,234 stops"),
    ],
)
def test_one_is_the_last_french_singular_and_the_only_english_one(count, fr, en) -> None:
    assert several(count, "arrêt", "arrêts") == fr
    assert several_en(count, "stop", "stops") == en
