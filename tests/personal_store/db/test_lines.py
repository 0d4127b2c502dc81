"""The line_file table: what was read of a file comes back, once, until it is forgotten."""

from generated_town import Town

from carbon.modes import TransportMode
from personal_store.db import lines
from personal_store.db.connection import reading, writing
from personal_store.store import Store
from personal_store.trips.line_files import read_lines
from personal_store.trips.lines import LineIndex


def keep(store: Store, path, seed):
    read = read_lines(Town(seed).gtfs(path, shapes=True))
    with writing(store.engine) as connection:
        lines.add(connection, read, name=path.name, at=store.clock.now())
    return read


def test_lines_come_back_as_they_were_read(store: Store, tmp_path) -> None:
    read = keep(store, tmp_path / "feed.zip", 4)
    with reading(store.engine) as connection:
        (kept,) = lines.every(connection)
    assert kept.stop_mode == read.stop_mode
    assert {mode: list(routes) for mode, routes in kept.routes.items()} == read.routes
    leg = Town(4).bus_leg()
    asked = (TransportMode.BUS, TransportMode.CAR)
    assert LineIndex(kept).log_odds(asked, *leg).tolist() == (
        LineIndex(read).log_odds(asked, *leg).tolist()
    )


def test_a_file_of_the_same_name_replaces_the_first(store: Store, tmp_path) -> None:
    keep(store, tmp_path / "feed.zip", 4)
    second = keep(store, tmp_path / "feed.zip", 5)
    with reading(store.engine) as connection:
        (file,) = lines.listed(connection)
    assert file.stops == len(second.stop_mode)


def test_a_forgotten_file_is_gone(store: Store, tmp_path) -> None:
    keep(store, tmp_path / "feed.zip", 4)
    with writing(store.engine) as connection:
        assert lines.forget(connection, name="feed.zip")
        assert not lines.forget(connection, name="feed.zip")
    with reading(store.engine) as connection:
        assert lines.every(connection) == []
