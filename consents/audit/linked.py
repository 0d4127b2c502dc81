"""An audit's result as JSON-LD: the same facts, findings and rows, in terms that others can join.

A yearly record is a DGA record of data intermediation in DPV terms; what has no term in DPV is
under a prefix of our own. The prefixes are written into the document: nothing has to be fetched.
"""

from consents.audit.findings import AuditResult, Subject
from consents.canonical import canonical_bytes, utc_text
from consents.receipts.jsonld import CONTEXT


def linked_report(result: AuditResult) -> bytes:
    """Return the JSON-LD of a result, as canonical JSON."""
    checkpoint = result.checkpoint
    annual = result.subject is Subject.ANNUAL
    document: dict[str, object] = {
        "@context": dict(CONTEXT),
        "@type": ["eu-dga:DataIntermediationRecord", "mec:AuditReport"]
        if annual
        else "mec:AuditReport",
        "dct:type": result.subject.value,
        "mec:verdict": result.verdict.value,
        "mec:cosigned": [
            {"mec:witness": name, "dct:date": utc_text(at)}
            for name, at in sorted(result.cosigned_at.items())
        ],
        "mec:facts": [
            {"dct:identifier": name, "rdf:value": count} for name, count in result.facts.items()
        ],
        "mec:findings": [
            {"dct:type": each.problem.value, "mec:entry": each.entry, "mec:item": each.item}
            for each in result.findings
        ],
        "mec:rows": [
            {f"mec:{name}": value for name, value in zip(result.columns, row, strict=True)}
            for row in result.rows
        ],
    }
    if checkpoint is not None:
        document["mec:log"] = checkpoint.origin
        document["mec:size"] = checkpoint.size
        document["mec:rootSha256"] = checkpoint.root.hex()
    return canonical_bytes(document)
