"""The server's own loop: it runs the jobs, outlives a failing run, and stops with the server."""

import asyncio
from dataclasses import replace

from loopback import wait_until
from structlog.testing import capture_logs

from consents.tlog.checkpoint import NoteKey
from contributions.two_keepers import expires_at
from coop_aggregator.app import create_app
from coop_aggregator.db.log import last_cosigned_size
from coop_aggregator.db.releases import release_weeks
from coop_aggregator.db.sealed import counts
from coop_aggregator.jobs import background
from coop_aggregator.settings import Settings
from coop_aggregator.tlog.witnesses import read_witnesses


def weeks(coop):
    with coop.leader.database.read() as connection:
        return release_weeks(connection)


async def live_until(app, done):
    """Run the application's lifespan until `done()`, and at least until its jobs have started."""
    async with app.router.lifespan_context(app):
        for _turn in range(3):
            await asyncio.sleep(0)
        await asyncio.to_thread(wait_until, done)


def test_the_server_publishes_what_is_due(light_coop, light_settings):
    light_coop.after_deadline()
    settings = Settings(data=light_settings.data, release_interval_s=1)
    app = create_app(light_coop.leader, settings)
    asyncio.run(live_until(app, lambda: weeks(light_coop)))
    assert weeks(light_coop) == ("2026-W46",)


def test_without_an_interval_nothing_runs(light_coop, light_settings):
    light_coop.after_deadline()
    app = create_app(light_coop.leader, light_settings)
    asyncio.run(live_until(app, lambda: True))
    assert weeks(light_coop) == ()


def test_a_witness_that_does_not_answer_is_logged_and_tried_again(
    light_coop, light_settings, private_key
):
    settings = Settings(data=light_settings.data, release_interval_s=1)
    key = NoteKey.of_witness("w.example", private_key("w").public_key())
    listed = read_witnesses(
        f"{key.vkey} http://127.0.0.1:1", quorum=None, log_vkey=light_coop.leader.who.log_vkey
    )
    app = create_app(replace(light_coop.leader, witnesses=listed), settings)
    with capture_logs() as lines:
        asyncio.run(live_until(app, lambda: len(lines) > 0))
    assert lines[0]["event"] == "job refused"
    assert lines[0]["kind"] == "WitnessFailed"


def test_a_failing_run_does_not_end_the_loop(light_coop, light_settings):
    with light_coop.leader.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE releases")
    settings = Settings(data=light_settings.data, release_interval_s=1)
    app = create_app(light_coop.leader, settings)
    with capture_logs() as lines:
        asyncio.run(live_until(app, lambda: len(lines) >= 2))
    assert {line["event"] for line in lines} == {"job failed"}


def test_one_run_without_a_witness_only_publishes(light_coop, light_settings):
    light_coop.after_deadline()
    background.run_jobs(light_coop.leader, light_settings)
    with light_coop.leader.database.read() as connection:
        assert last_cosigned_size(connection) == 0
    assert weeks(light_coop) == ("2026-W46",)


def test_a_helper_s_server_erases_what_expired(keepers, light_settings):
    def left():
        with keepers.helper.database.read() as connection:
            return sum(counts(connection, keepers.task.digest).values())

    keepers.resident().send_sealed()
    keepers.clock.moment = expires_at(keepers.task)
    settings = Settings(data=light_settings.data, retention_interval_s=1)
    app = create_app(keepers.helper, settings)
    asyncio.run(live_until(app, lambda: not left()))
    assert left() == 0
