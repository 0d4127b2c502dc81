"""A consent receipt as JSON-LD in the terms of the Data Privacy Vocabulary.

The prefixes are written into the document: reading it needs no address to be fetched. What has no
term in DPV (privacy loss in epsilon, the leaf, its proof) is under a prefix of our own.
Spec: W3C DPV 2.3, "Consent records and receipts as per ISO/IEC TS 27560:2023 using DPV"; its
examples repeat a key, `dpv:hasProcess`, where a list is meant: here it is a list.
"""

from collections.abc import Mapping

from consents.canonical import canonical_bytes, utc_text
from consents.receipts.personal_receipt import PersonalReceipt
from consents.records.limits import ConsentArea
from consents.records.notice import Notice
from consents.records.receipt import ConsentBody, EventType, Purpose

CONTEXT: Mapping[str, str] = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "eu-dga": "https://w3id.org/dpv/legal/eu/dga#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "loc": "https://w3id.org/dpv/loc#",
    "mec": "urn:mobilites-en-commun:consents#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
}
"""Prefixes and what they stand for (DPV 2.3 namespaces)."""

RECEIPT_SCHEMA = "https://w3id.org/dpv/schema/dpv-27560#receipt"
RECORD_SCHEMA = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"

_CONTROLS = ["dpv:ProvideConsent", "dpv:WithdrawConsent"]
_RIGHTS = ["dpv:DataSubjectRight", "eu-gdpr:A7-3"]
_STATUS: Mapping[EventType, str] = {
    EventType.GIVEN: "dpv:ConsentGiven",
    EventType.LIMITED: "dpv:RenewedConsentGiven",
    EventType.RENEWED: "dpv:RenewedConsentGiven",
    EventType.REFUSED: "dpv:ConsentRefused",
    EventType.DEFERRED: "dpv:ConsentRequestDeferred",
    EventType.WITHDRAWN: "dpv:ConsentWithdrawn",
    EventType.EXPIRED: "dpv:ConsentExpired",
}


def to_jsonld(receipt: bytes) -> bytes:
    """Return the JSON-LD of a kept receipt, as canonical JSON; raise RecordError."""
    kept = PersonalReceipt.parse(receipt)
    body, payload = kept.opening.body, kept.opening.event.payload
    identifier = f"urn:mobilites-en-commun:receipt:{payload.cid}:{payload.n}"
    document: dict[str, object] = {
        "@context": dict(CONTEXT),
        "@id": identifier,
        "@type": "dpv:ConsentReceipt",
        "dct:conformsTo": {"@id": RECEIPT_SCHEMA},
        "dct:created": utc_text(body.event_time),
        "dct:identifier": f"{payload.cid}:{payload.n}",
        "dpv:hasIdentifier": f"{payload.cid}:{payload.n}",
        "dpv:hasRecordOfActivity": _record(kept),
        "mec:leaf": kept.opening.event.leaf.decode("ascii"),
        "mec:leafSha256": kept.opening.event.head,
    }
    if kept.log_receipt is not None:
        document["mec:logReceipt"] = kept.log_receipt.to_bytes().decode()
    return canonical_bytes(document)


def _record(kept: PersonalReceipt) -> dict[str, object]:
    body, notice = kept.opening.body, kept.notice
    record: dict[str, object] = {
        "@id": f"urn:mobilites-en-commun:record:{body.record_id}",
        "@type": "dpv:ConsentRecord",
        "dct:conformsTo": {"@id": RECORD_SCHEMA},
        "dct:identifier": body.record_id,
        "dpv:hasDataSubject": {
            "@id": f"urn:mobilites-en-commun:subject:{body.pii_principal_id}",
            "@type": "dpv:DataSubject",
        },
        "dpv:hasApplicableLaw": {"@id": "eu-gdpr:GDPR"},
        "dpv:hasLegalBasis": {"@id": body.purposes[0].lawful_basis},
        "dpv:hasProcess": [_process(kept.purpose, body, notice)],
        "dpv:hasNotice": _notice(body),
        "dpv:hasConsentStatus": [_status(body)],
    }
    return record | (_said_by_purpose(kept) if notice is None else _said_by_notice(notice))


def _said_by_notice(notice: Notice) -> dict[str, object]:
    return {
        "dpv:hasDataController": {
            "@type": ["dpv:DataController", "eu-dga:DataCooperative"],
            "dpv:hasName": notice.controller_name,
            "dpv:hasAddress": notice.controller_address,
            "dpv:hasContact": notice.controller_contact,
            "mec:dataProtectionOfficer": notice.dpo_contact,
        },
        "dpv:hasRecipient": notice.recipients,
        "dpv:hasJurisdiction": {"@id": notice.jurisdiction},
        "dpv:hasAuthority": notice.authority,
        "mec:transfers": notice.transfers,
        "dpv:hasConsentControl": {
            "@type": _CONTROLS,
            "dpv:isExercisedAt": {"@id": notice.withdrawal_url},
        },
        "dpv:hasRight": [{"@type": _RIGHTS, "dpv:isExercisedAt": {"@id": notice.rights_url}}],
    }


def _said_by_purpose(kept: PersonalReceipt) -> dict[str, object]:
    """Return what follows from the body where the purpose's prose is the notice: no place in it."""
    controller = kept.opening.body.party_identification[0]
    return {
        "dpv:hasDataController": {
            "@type": [controller.party_role, controller.party_type],
            "dpv:hasName": controller.party_name,
            "dpv:hasAddress": controller.party_address,
            "dpv:hasContact": controller.party_contact,
        },
        # The lawful basis is the Union's regulation: that much is said, no member state is.
        "dpv:hasJurisdiction": {"@id": "loc:EU"},
        "dpv:hasConsentControl": {
            "@type": _CONTROLS,
            "dpv:isExercisedAt": {"@id": controller.party_address},
        },
        "dpv:hasRight": [{"@type": _RIGHTS, "dpv:isExercisedAt": controller.party_contact}],
    }


def _process(purpose: Purpose, body: ConsentBody, notice: Notice | None) -> dict[str, object]:
    places = () if notice is None else notice.storage_locations
    process: dict[str, object] = {
        "@type": "dpv:Process",
        "dct:title": [
            {"@language": "fr", "@value": purpose.title_fr},
            {"@language": "en", "@value": purpose.title_en},
        ],
        "dct:description": [
            {"@language": "fr", "@value": purpose.text_fr},
            {"@language": "en", "@value": purpose.text_en},
        ],
        "dpv:hasPurpose": {"@id": purpose.dpv_purpose},
        "dpv:hasProcessing": [{"@id": "dpv:Aggregate"}, {"@id": "dpv:Anonymise"}],
        "dpv:hasPersonalData": [
            {
                "@type": "dpv:PersonalData",
                "dct:identifier": name,
                "dpv:hasNecessity": {"@id": "dpv:Optional"},
                "dpv:hasDataSource": {"@id": "dpv:DataSubjectDataSource"},
            }
            for name in (purpose.fields if body.limits is None else body.limits.fields)
        ],
        "dpv:hasStorageCondition": [
            *(
                {"@type": "dpv:StorageLocation", "dpv:hasLocation": {"@id": place}}
                for place in places
            ),
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": f"P{purpose.retention_days}D"},
        ],
        "mec:purposeSha256": purpose.digest,
    }
    if body.limits is not None:
        process["mec:epsilonWeekMicro"] = body.limits.epsilon_week_micro
        process["mec:epsilonTotalMicro"] = body.limits.epsilon_total_micro
        if body.limits.weekdays is not None:
            process["mec:isoWeekdays"] = list(body.limits.weekdays)
        if body.limits.area is not None:
            process["mec:area"] = _area(body.limits.area)
    return process


def _area(area: ConsentArea) -> dict[str, object]:
    return {
        "@type": "dpv:Location",
        "mec:outlinesSha256": area.outlines_sha256,
        "mec:zones": list(area.zones),
    }


def _notice(body: ConsentBody) -> dict[str, object]:
    notice = body.privacy_notice
    return {
        "@id": notice.url,
        "@type": "dpv:ConsentNotice",
        "dct:hasVersion": notice.version,
        "dct:language": body.language,
        "mec:sha256": notice.sha256,
    }


def _status(body: ConsentBody) -> dict[str, object]:
    until = f"PT{body.validity_duration_s}S"
    status: dict[str, object] = {
        "@type": [_STATUS[body.event_type], "dpv:ExplicitlyExpressedConsent"],
        "dpv:isIndicatedAtTime": utc_text(body.event_time),
        "dpv:isIndicatedBy": {"@id": "dpv:DataSubject"},
        "dpv:hasDuration": {"@type": "dpv:TemporalDuration", "rdf:value": until},
    }
    if body.limits is not None:
        status["mec:expiresAt"] = utc_text(body.limits.expires_at)
    return status
