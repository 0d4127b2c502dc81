"""Enrolment: a code admits one member, once, and says nothing about who used it."""

import threading

import pytest
from sqlalchemy import select

from contributions.jws import public_jwk
from contributions.messages import Enrolment
from coop_aggregator.asking.enrolment import enrol, make_codes
from coop_aggregator.db.members import member_count
from coop_aggregator.db.tables import invitations
from coop_aggregator.errors import EnrolmentRefused


@pytest.fixture
def request_for(private_key):
    def make(code, *, who="ada", zone="A"):
        x = public_jwk(private_key(who).public_key())["x"]
        return Enrolment(code=code, member_x=x, zone=zone)

    return make


def admit(coop, request):
    with coop.leader.database.write() as connection:
        return enrol(connection, request)


def members(coop):
    with coop.leader.database.read() as connection:
        return member_count(connection)


def test_a_code_admits_a_member(coop, request_for):
    assert admit(coop, request_for(coop.code())).zone == "A"


def test_a_used_code_admits_nobody_else(coop, request_for):
    code = coop.code()
    admit(coop, request_for(code))
    with pytest.raises(EnrolmentRefused) as refused:
        admit(coop, request_for(code, who="eve"))
    assert refused.value.status == 403
    assert members(coop) == 1


def test_an_unknown_code_admits_nobody(light_coop, request_for):
    with pytest.raises(EnrolmentRefused) as refused:
        admit(light_coop, request_for("0000-0000-0000-0000"))
    assert refused.value.status == 403


def test_a_lost_answer_can_be_asked_for_again(light_coop, request_for):
    request = request_for(light_coop.code())
    assert admit(light_coop, request) == admit(light_coop, request)
    assert members(light_coop) == 1


def test_a_member_cannot_move_by_enrolling_again(light_coop, request_for):
    admit(light_coop, request_for(light_coop.code()))
    with pytest.raises(EnrolmentRefused):
        admit(light_coop, request_for(light_coop.code(), zone="B"))


def test_an_unknown_zone_is_refused_and_the_code_stays_good(light_coop, request_for):
    code = light_coop.code()
    with pytest.raises(EnrolmentRefused) as refused:
        admit(light_coop, request_for(code, zone="Z"))
    assert refused.value.status == 422
    assert admit(light_coop, request_for(code)).zone == "A"


@pytest.mark.parametrize("spell", [str.lower, lambda code: code.replace("-", " ")])
def test_a_code_copied_by_hand_is_understood(light_coop, request_for, spell):
    assert admit(light_coop, request_for(spell(light_coop.code())))


def test_codes_are_kept_by_their_digest_only(light_coop):
    with light_coop.leader.database.write() as connection:
        codes = make_codes(connection, 5)
        kept = connection.scalars(select(invitations.c.code_sha256)).all()
    assert not set(codes) & set(kept)
    assert len(set(codes)) == 5


def test_one_code_posted_by_two_threads_admits_one_member(coop, request_for):
    code = coop.code()
    together = threading.Barrier(2)
    outcomes = []

    def post(who):
        together.wait()
        try:
            admit(coop, request_for(code, who=who))
            outcomes.append("admitted")
        except EnrolmentRefused:
            outcomes.append("refused")

    threads = [threading.Thread(target=post, args=(who,)) for who in ("ada", "eve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["admitted", "refused"]
    assert members(coop) == 1
