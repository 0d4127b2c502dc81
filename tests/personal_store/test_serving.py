"""A locked server is known for as long as it runs locked."""

from personal_store.serving import (
    SERVING_FILE,
    announced,
    first_in,
    locked_server,
    no_longer_locked,
)

ADDRESS = "http://127.0.0.1:8640/"


def test_a_server_is_known_while_it_runs(tmp_path) -> None:
    assert locked_server(tmp_path) is None
    with announced(tmp_path, ADDRESS):
        assert locked_server(tmp_path) == ADDRESS
    assert locked_server(tmp_path) is None


def test_a_server_that_was_opened_is_not_said_to_be_locked(tmp_path) -> None:
    with announced(tmp_path, ADDRESS):
        no_longer_locked(tmp_path)
        assert locked_server(tmp_path) is None
    no_longer_locked(tmp_path)


def test_a_shorter_address_leaves_nothing_of_the_one_before(tmp_path) -> None:
    for address in (ADDRESS + "longer", ADDRESS):
        with announced(tmp_path, address):
            assert locked_server(tmp_path) == address


def test_the_file_is_closed_to_others(tmp_path) -> None:
    with announced(tmp_path, ADDRESS):
        assert (tmp_path / SERVING_FILE).stat().st_mode & 0o77 == 0


def test_a_second_server_in_a_folder_is_told_so_until_the_first_ends(tmp_path) -> None:
    with first_in(tmp_path) as first, first_in(tmp_path) as second:
        assert (first, second) == (True, False)
    with first_in(tmp_path) as again:
        assert again
    assert list(tmp_path.iterdir()) == []
