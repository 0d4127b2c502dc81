"""Every mode has a place, and names nobody published are refused."""

import pytest

from carbon.errors import UnknownId
from carbon.modes import ModeGroup, TransportMode, parse_mode


def test_every_mode_belongs_to_a_group():
    assert {mode.group for mode in TransportMode} == set(ModeGroup)


@pytest.mark.parametrize(
    ("mode", "group"),
    [
        ("run", "walk"),
        ("escooter", "bike"),
        ("moped", "two_wheeler"),
        ("taxi", "car"),
        ("coach", "transit"),
        ("train_tgv", "train"),
        ("plane", "plane"),
        ("ferry", "other"),
        ("unknown", "other"),
    ],
)
def test_a_mode_is_counted_in_its_group(mode, group):
    assert TransportMode(mode).group == group


def test_a_specific_mode_is_its_own_candidate():
    assert TransportMode.CAR_PETROL.candidates == (TransportMode.CAR_PETROL,)


def test_an_unspecific_train_may_be_any_kind_of_train():
    kinds = {mode for mode in TransportMode if mode.value.startswith("train_")}
    assert set(TransportMode.TRAIN.candidates) == kinds


def test_unknown_may_be_any_specific_mode():
    unspecific = {TransportMode.UNKNOWN, TransportMode.TRAIN}
    assert set(TransportMode.UNKNOWN.candidates) == set(TransportMode) - unspecific


def test_a_name_outside_the_enumeration_is_refused_by_name():
    with pytest.raises(UnknownId, match="'hovercraft'") as caught:
        parse_mode("hovercraft")
    assert caught.value.field == "mode"
