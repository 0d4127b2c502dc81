"""Several stewards: who is asked, and when a checkpoint becomes public."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from consents.errors import NoteError
from consents.records.receipt import EventType
from consents.tlog.checkpoint import NoteKey, read_checkpoint
from consents.tlog.policy import WitnessPolicy, policy_text
from coop_aggregator.errors import AggregatorError, WitnessFailed
from coop_aggregator.installation import init_helper
from coop_aggregator.jobs import background, dropbox
from coop_aggregator.jobs import witness as job
from coop_aggregator.settings import Settings
from coop_aggregator.tlog.witnesses import read_witnesses
from coop_aggregator.transport import HttpWitness, witness_ways

NAMES = ("one.example", "two.example", "three.example")


class City:
    """A cooperative and its stewards in this process; some of them may be down."""

    def __init__(self, coop, helpers, clients, quorum):
        self.coop, self.clients, self.down = coop, clients, set()
        listed = ", ".join(f"{each.who.own_vkey} https://{each.who.name}" for each in helpers)
        log_vkey = coop.leader.who.log_vkey
        witnesses = read_witnesses(listed, quorum=quorum, log_vkey=log_vkey)
        coop.leader = self.leader = replace(coop.leader, witnesses=witnesses)
        vkeys = [each.who.own_vkey for each in helpers]
        text = policy_text(log_vkey=log_vkey, witness_vkeys=vkeys, threshold=quorum)
        self.policy = WitnessPolicy.parse(text.encode())

    @contextmanager
    def reach(self, url):
        if url in self.down:
            url = "http://127.0.0.1:1"
            with HttpWitness(url) as way:
                yield way
            return
        with HttpWitness(url, transport=self.clients[url]._transport) as way:
            yield way

    def round(self):
        settings = Settings(data=self.coop.leader.database._engine.url.database)
        background.run_jobs(self.leader, settings, reach=self.reach)

    def cosign(self):
        with witness_ways(self.leader, self.reach) as ways:
            return job.run_round(self.leader, ways)

    def published(self):
        with self.leader.database.read() as connection:
            return self.leader.log(connection).published()


@pytest.fixture
def make_city(light_coop, serve, clock, settings_in, tmp_path):
    """Return a maker of a cooperative with so many stewards, each with keys of their own."""
    made = []

    def make(count, quorum=None):
        clients = {}
        for name in NAMES[:count]:
            settings = settings_in(tmp_path / name)
            vkey = light_coop.leader.who.log_vkey
            made.append(init_helper(settings, clock, name=name, log_vkey=vkey))
            clients[f"https://{name}"] = serve(made[-1], settings)
        return City(light_coop, made, clients, quorum)

    yield make
    for helper in made:
        helper.database.close()


def size(note):
    return read_checkpoint(note).size


def test_two_of_three_publish_while_the_third_is_down(make_city, serve):
    city = make_city(3)
    city.down = {"https://two.example"}
    city.coop.resident()
    assert city.cosign() == job.RoundReport(size=2, missing=("two.example",))
    served = serve(city.leader).get("/checkpoint").text
    assert set(city.policy.attest(served).cosigned_at) == {"steward-1", "steward-3"}


def test_one_of_three_publishes_nothing_newer_than_the_last_quorum(make_city, serve):
    city = make_city(3)
    city.cosign()
    city.down = {"https://two.example", "https://three.example"}
    city.coop.resident()
    with pytest.raises(WitnessFailed, match=r"two\.example, three\.example"):
        city.cosign()
    assert size(serve(city.leader).get("/checkpoint").text) == 1
    city.down = {"https://two.example"}
    city.cosign()
    assert size(serve(city.leader).get("/checkpoint").text) == 2


def test_until_a_first_quorum_no_policy_accepts_what_is_served(make_city):
    city = make_city(3)
    city.down = {"https://two.example", "https://three.example"}
    with pytest.raises(WitnessFailed):
        city.cosign()
    with pytest.raises(NoteError):
        city.policy.attest(city.published())


def test_a_city_with_one_partner_publishes_with_one_of_one(make_city):
    city = make_city(1)
    city.coop.resident()
    city.cosign()
    assert set(city.policy.attest(city.published()).cosigned_at) == {"steward-1"}


def test_a_city_may_ask_for_all_three(make_city):
    city = make_city(3, quorum=3)
    city.down = {"https://one.example"}
    with pytest.raises(WitnessFailed):
        city.cosign()


def test_everybody_is_shown_the_same_checkpoint_though_the_log_grows(make_city):
    city = make_city(3)

    class Growing:
        def __init__(self, way):
            self.way = way

        def add_checkpoint(self, body):
            city.coop.resident()
            return self.way.add_checkpoint(body)

    with witness_ways(city.leader, city.reach) as ways:
        report = job.run_round(city.leader, {vkey: Growing(way) for vkey, way in ways.items()})
    assert report == job.RoundReport(size=1, missing=())
    assert len(city.policy.attest(city.published()).cosigned_at) == 3


def test_a_proof_stands_under_a_checkpoint_with_a_quorum(make_city):
    city = make_city(3)
    person = city.coop.resident()
    city.cosign()
    city.down = {"https://two.example", "https://three.example"}
    city.coop.resident()
    with pytest.raises(WitnessFailed):
        city.cosign()
    with city.leader.database.read() as connection:
        log = city.leader.log(connection)
        leaf_hash = connection.exec_driver_sql(
            "SELECT leaf_hash FROM leaves WHERE cid = ?", (person.cid,)
        ).scalar_one()
        assert size(log.proof(bytes(leaf_hash)).checkpoint) == 2


def test_a_drop_box_that_cannot_be_read_holds_releases_back_and_no_cosignature(make_city):
    city = make_city(3)
    city.down = {"https://two.example"}
    city.coop.after_deadline()
    with pytest.raises(WitnessFailed):
        city.round()
    assert len(city.policy.attest(city.published()).cosigned_at) == 2
    with city.leader.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM releases").scalar_one() == 0
    city.down = set()
    city.round()
    with city.leader.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM releases").scalar_one() == 1


def test_every_drop_box_is_read_though_one_is_down_and_it_is_named(make_city):
    city = make_city(3)
    city.down = {"https://one.example"}
    leaf = city.coop.resident().leaf(EventType.WITHDRAWN)
    city.clients["https://three.example"].post("/v1/dropbox", json={"leaf": leaf.decode()})
    with witness_ways(city.leader, city.reach) as ways:
        report = dropbox.run_round(city.leader, ways)
    assert report == dropbox.RoundReport(fetched=1, taken=1, waiting=0, missing=("one.example",))


def test_fewer_drop_boxes_than_the_quorum_are_an_error_that_names_them(make_city):
    city = make_city(3)
    city.down = {"https://one.example", "https://two.example"}
    with (
        witness_ways(city.leader, city.reach) as ways,
        pytest.raises(WitnessFailed, match=r"one\.example, two\.example"),
    ):
        dropbox.run_round(city.leader, ways)


def vkey(private_key, name):
    return NoteKey.of_witness(f"{name}.example", private_key(name).public_key()).vkey


@pytest.mark.parametrize(("count", "quorum"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_a_majority_is_the_quorum_by_default(light_coop, private_key, count, quorum):
    text = ",".join(f"{vkey(private_key, str(each))} https://x" for each in range(count))
    log_vkey = light_coop.leader.who.log_vkey
    assert read_witnesses(text, quorum=None, log_vkey=log_vkey).quorum == quorum


def test_settings_that_make_no_quorum_are_refused(light_coop, private_key):
    leader = light_coop.leader
    one, two = (vkey(private_key, name) for name in "ab")
    own = NoteKey.of_witness("own.example", leader.keys.log.public_key()).vkey
    refused = {
        "no address": (one, None),
        "the log's own key": (f"{one} https://a, {own} https://b", None),
        "a key twice": (f"{one} https://a, {one} https://b", None),
        "more than there are": (f"{one} https://a, {two} https://b", 3),
        "a log's key": (f"{leader.who.log_vkey} https://a", None),
        "a quorum of nobody": (None, 1),
    }
    for case, (text, quorum) in refused.items():
        with pytest.raises(AggregatorError):
            pytest.fail(
                case + str(read_witnesses(text, quorum=quorum, log_vkey=leader.who.log_vkey))
            )
