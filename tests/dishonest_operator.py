"""What an operator can do with its own keys, code and database, for the tests of attacks."""

from contributions.messages import read_report
from coop_aggregator import aggregate
from coop_aggregator.db import members as members_db
from coop_aggregator.db import reports as reports_db
from coop_aggregator.db.reports import StoredReport


def look_away(monkeypatch):
    """Have the operator's own code count whatever it received."""
    monkeypatch.setattr(
        aggregate,
        "covered_reports",
        lambda _leader, _connection, _task, received, **_options: tuple(received),
    )


def plant_report(coop, person, *, invents_consent=False):
    """Write a report that intake refuses straight into the database."""
    report = person.report()
    read = read_report(report)
    with coop.leader.database.write() as connection:
        if invents_consent:
            holder = members_db.ConsentHolder(
                cid=person.cid,
                member_id=person.member_id,
                purpose_digest=coop.purpose_digest,
                kid=read.kid,
            )
            members_db.add_consent(connection, holder)
        stored = StoredReport(
            report_id=read.report.report_id,
            task_digest=coop.task.digest,
            member_id=person.member_id,
            cid=person.cid,
            jws=report.decode(),
        )
        reports_db.add_report(connection, stored)


def problems(document):
    """Return the kinds of findings of an auditor's answer."""
    return {each["problem"] for each in document["findings"]}
