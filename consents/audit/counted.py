"""What the auditor counts, by name, in French and in English: facts of a result, kinds of event."""

from collections.abc import Mapping

from consents.verify.wording import Language, Words


def fact(name: str, language: Language) -> str:
    """Return the name of a count for people, or of an event that is counted."""
    words = _FACTS.get(name) or _EVENTS.get(name)
    return name if words is None else words.say(language)


def amount(name: str, count: int, language: Language) -> str:
    """Return a count as people write it: thousands apart, millionths of ε as ε, a year as it is."""
    if name == "year":
        return str(count)
    whole, rest = divmod(count, MICRO) if name.endswith("_micro") else (count, 0)
    digits = f"{whole:,}"
    decimals = f"{rest:06d}".rstrip("0") if rest else ""
    if language is Language.EN:
        return f"{digits}.{decimals}" if decimals else digits
    digits = digits.replace(",", "\N{NARROW NO-BREAK SPACE}")
    return f"{digits},{decimals}" if decimals else digits


MICRO = 1_000_000
"""Amounts of epsilon are integers of this many to one."""

_FACTS: Mapping[str, Words] = {
    "entries": Words(fr="Entrées du journal", en="Entries of the log"),
    "batches": Words(fr="Lots", en="Batches"),
    "items": Words(fr="Contributions", en="Contributions"),
    "withdrawals": Words(fr="Retraits inscrits", en="Withdrawals logged"),
    "slips": Words(fr="Reçus de dépôt", en="Drop-box slips"),
    "strangers": Words(
        fr="Reçus de dépôt laissés de côté : aucune clé de ce journal ne les a signés",
        en="Drop-box slips left aside: no key of this log signed them",
    ),
    "promises": Words(fr="Promesses", en="Promises"),
    "after_freeze": Words(
        fr="Contributions dont le retrait, prouvé, vint après le gel du lot",
        en="Contributions whose withdrawal, proved, came after the freeze",
    ),
    "purposes": Words(fr="Finalités inscrites", en="Purposes logged"),
    "texts": Words(fr="Textes remis", en="Texts handed over"),
    "notices": Words(fr="Notices d'information", en="Notices"),
    "versions": Words(fr="Versions", en="Versions"),
    "most_week_micro": Words(
        fr="Plus forte dépense d'une personne en une semaine (ε)",
        en="Largest spending of a person in a week (ε)",
    ),
    "most_total_micro": Words(
        fr="Plus forte dépense totale d'une personne (ε)",
        en="Largest spending of a person in total (ε)",
    ),
    "cosigned": Words(fr="Points de contrôle cosignés", en="Cosigned checkpoints"),
    "delayed": Words(
        fr="Retraits ou refus écrits hors ligne et inscrits plus tard",
        en="Withdrawals or refusals written offline and logged later",
    ),
    "withheld": Words(
        fr="Lots trop petits pour être publiés, gardés fermés (leur ε n'est pas compté ici)",
        en="Batches too small to publish, kept closed (their ε is not counted here)",
    ),
    "erased": Words(
        fr="Lots effacés à la fin de la conservation annoncée, comme inscrit au journal : ce "
        "qu'ils contenaient n'est plus vérifiable",
        en="Batches erased at the end of the stated retention, as logged: what they held can no "
        "longer be checked",
    ),
    "erased_items": Words(
        fr="Contributions de ces lots effacés, selon le nombre que le journal engage",
        en="Contributions of these erased batches, by the number that the log commits to",
    ),
    "pending": Words(fr="En attente, dans les délais", en="Pending, in time"),
    "releases": Words(fr="Publications", en="Releases"),
    "year": Words(fr="Année", en="Year"),
    "consents": Words(fr="Consentements concernés", en="Consents concerned"),
    "epsilon_sum_micro": Words(
        fr="Somme des ε de toutes les contributions", en="Sum of ε over all contributions"
    ),
    "new": Words(fr="Nouvelles entrées", en="New entries"),
}

_EVENTS: Mapping[str, Words] = {
    "consent.given": Words(fr="Accords donnés", en="Consents given"),
    "consent.refused": Words(fr="Refus", en="Refusals"),
    "consent.deferred": Words(fr="Réponses reportées", en="Answers deferred"),
    "consent.withdrawn": Words(fr="Accords retirés", en="Consents withdrawn"),
    "consent.limited": Words(fr="Accords limités", en="Consents limited"),
    "consent.renewed": Words(fr="Accords renouvelés", en="Consents renewed"),
    "consent.expired": Words(fr="Accords expirés", en="Consents expired"),
    "purpose.published": Words(fr="Finalités publiées", en="Purposes published"),
    "batch.committed": Words(fr="Lots inscrits", en="Batches committed"),
    "release.published": Words(fr="Statistiques publiées", en="Statistics published"),
    "batch.erased": Words(fr="Lots effacés", en="Batches erased"),
    "body.shredded": Words(fr="Textes effacés", en="Texts erased"),
    "key.rotated": Words(fr="Changements de clé", en="Keys rotated"),
    "key.recovered": Words(fr="Clés remplacées par un témoin", en="Keys recovered by a steward"),
    "signer.joined": Words(fr="Signataires ajoutés", en="Signers joined"),
    "delegate.named": Words(fr="Mandataires nommés", en="Delegates named"),
    "delegate.revoked": Words(fr="Mandats repris", en="Mandates revoked"),
    "recovery.named": Words(fr="Clés de secours nommées", en="Recovery keys named"),
    "shard.closed": Words(fr="Journals annuels clos", en="Yearly logs closed"),
    "shard.opened": Words(fr="Journals annuels ouverts", en="Yearly logs opened"),
}
