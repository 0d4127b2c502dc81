"""Whatever bytes arrive, a parser answers with its own error or with a value: never otherwise."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consents.audit.case import OpenedBody, Question, open_body
from consents.audit.contribution import read_contribution
from consents.audit.evidence import read_held
from consents.audit.withheld import release_count
from consents.errors import ConsentsError
from consents.receipts.personal_receipt import PersonalReceipt
from consents.records.notice import Notice
from consents.tlog.policy import WitnessPolicy
from consents.tlog.promise import read_promise, read_slip
from consents.tlog.tiles import Tile
from consents.tlog.tlog_proof import TlogProof

KID = "A" * 43
PARSERS = {
    "contribution": read_contribution,
    "evidence": read_held,
    "notice": Notice.parse,
    "opened body": OpenedBody.parse,
    "opening": open_body,
    "personal receipt": PersonalReceipt.parse,
    "policy": WitnessPolicy.parse,
    "promise": lambda content: read_promise(content, kid=KID),
    "slip": lambda content: read_slip(content, kid=KID),
    "task": Question.parse,
    "tile": lambda content: Tile.parse(content.decode("latin-1")),
    "tlog-proof": lambda content: TlogProof.parse(content.decode("latin-1")),
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["leaf", "promise", "body", "commitment_key", "position", "week", "v"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def refused_or_read(parser, content):
    try:
        parser(content)
    except ConsentsError:
        return True
    return True


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=40, deadline=None)
@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(name, content):
    assert refused_or_read(PARSERS[name], content)


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=40, deadline=None)
@given(value=json_values)
def test_any_json_is_read_or_refused(name, value):

    assert refused_or_read(PARSERS[name], json.dumps(value).encode())


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=60))
def test_a_release_of_any_bytes_states_a_count_or_none(content):
    count = release_count(content)
    assert count is None or isinstance(count, int)


def test_a_release_nested_without_end_states_no_count():
    assert release_count(b"[" * 200_000) is None
