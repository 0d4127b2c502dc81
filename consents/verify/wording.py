"""What the offline verifier says to people, in French and in English.

Sentences only: what was expected, what was seen, what to do. Which one is said is decided by
`consents.verify.verification`; where it is printed, by `consents.__main__`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from consents.verify.verification import Finding, Problem, Verdict, Verification


class Language(StrEnum):
    """The languages that the verifier speaks."""

    FR = "fr"
    EN = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One sentence in both languages."""

    fr: str
    en: str

    def say(self, language: Language) -> str:
        """Return the sentence in one of the languages."""
        return self.en if language is Language.EN else self.fr


COLON = Words(fr="\N{NO-BREAK SPACE}: ", en=": ")
"""Between a name and what it names."""

ENTRY = Words(fr="Entrée", en="Entry")
"""A line of the log, before its number."""


def describe(finding: Finding, language: Language) -> str:
    """Return the sentence for a finding, with the number of the entry where there is one."""
    sentence = _PROBLEMS[finding.problem].say(language)
    if finding.index is None:
        return sentence
    return f"{ENTRY.say(language)} {finding.index}{COLON.say(language)}{sentence}"


def summarise(verification: Verification, language: Language) -> list[str]:
    """Return the lines that say what was checked, the verdict last."""
    lines: list[str] = []
    if verification.checkpoint is not None:
        counts = {
            _ORIGIN: verification.checkpoint.origin,
            _SIZE: verification.checkpoint.size,
            _ENTRIES: verification.entries,
            _CONSENTS: verification.consents,
            _WITNESSES: verification.witnesses,
            _OLDER: verification.older,
        }
        lines += [
            f"{label.say(language)}{COLON.say(language)}{count}"
            for label, count in counts.items()
            if count
        ]
    return [*lines, _VERDICTS[verification.verdict].say(language)]


def say_verdict(verdict: Verdict, language: Language) -> str:
    """Return the sentence of a verdict."""
    return _VERDICTS[verdict].say(language)


USAGE = Words(
    fr="Commande incomplète ou inconnue. Essayez : consents verify --help.",
    en="Incomplete or unknown command. Try: consents verify --help.",
)

HELP: Mapping[str, Words] = {
    "program": Words(
        fr="Vérifie hors ligne un journal de consentements, un reçu ou un point de contrôle. "
        "Codes de sortie : 0 conforme, 2 violation, 3 vérification impossible.",
        en="Verify offline a consent log, a receipt or a checkpoint. "
        "Exit codes: 0 sound, 2 violation, 3 cannot verify.",
    ),
    "log": Words(
        fr="un journal entier : dossier avec checkpoint et entries.jsonl",
        en="a whole log: a folder with checkpoint and entries.jsonl",
    ),
    "receipt": Words(fr="un reçu gardé par un habitant", en="a receipt kept by a resident"),
    "checkpoint": Words(fr="un point de contrôle signé", en="a signed checkpoint"),
    "opening": Words(
        fr="ce qu'un événement engage : l'événement, son texte clair et sa clé",
        en="what an event commits to: the event, its clear text and its key",
    ),
    "path": Words(fr="dossier ou fichier à vérifier", en="folder or file to verify"),
    "vkey": Words(
        fr="clé de vérification du journal, reçue par un autre chemin que le journal ; parmi des "
        "journaux annuels celle du plus ancien suffit, chacun nommant le suivant",
        en="the log's verifier key, received by another way than the log; among yearly logs that "
        "of the oldest is enough, since each names the next",
    ),
    "witness": Words(
        fr="clé d'un témoin qui doit avoir cosigné (répétable)",
        en="key of a witness who must have cosigned (repeatable)",
    ),
    "older": Words(
        fr="ancien point de contrôle que vous avez gardé (répétable)",
        en="an older checkpoint that you kept (repeatable)",
    ),
    "operator": Words(
        fr="empreinte d'une clé de l'opérateur, qui peut inscrire une expiration (répétable)",
        en="thumbprint of a key of the operator, who may log an expiry (repeatable)",
    ),
    "steward": Words(
        fr="empreinte d'une clé d'un témoin, qui peut remplacer une clé perdue (répétable)",
        en="thumbprint of a key of a steward, who may replace a lost key (repeatable)",
    ),
    "json": Words(
        fr="écrire un document JSON sur la sortie standard",
        en="write one JSON document on standard output",
    ),
    "lang": Words(fr="langue des messages", en="language of the messages"),
}

_ORIGIN = Words(fr="Journal", en="Log")
_SIZE = Words(fr="Taille signée", en="Signed size")
_ENTRIES = Words(fr="Entrées lues", en="Entries read")
_CONSENTS = Words(fr="Chaînes suivies", en="Chains followed")
_WITNESSES = Words(fr="Témoins concordants", en="Witnesses in agreement")
_OLDER = Words(fr="Anciens points de contrôle comparés", en="Older checkpoints compared")

_VERDICTS: Mapping[Verdict, Words] = {
    Verdict.OK: Words(fr="Conforme.", en="Sound."),
    Verdict.VIOLATION: Words(
        fr="Violation. Gardez ces fichiers tels quels : ils sont la preuve, et prévenez les "
        "témoins.",
        en="Violation. Keep these files as they are: they are the evidence, and tell the "
        "witnesses.",
    ),
    Verdict.CANNOT_VERIFY: Words(
        fr="Vérification impossible : rien n'est prouvé, ni dans un sens ni dans l'autre.",
        en="Cannot verify: nothing is proved, one way or the other.",
    ),
}

_PROBLEMS: Mapping[Problem, Words] = {
    Problem.NO_FILE: Words(
        fr="Un fichier attendu manque ou ne peut pas être lu (pour un journal : checkpoint et "
        "entries.jsonl). Donnez le chemin d'un export complet, d'un reçu ou d'un point de "
        "contrôle.",
        en="An expected file is missing or cannot be read (for a log: checkpoint and "
        "entries.jsonl). Give the path of a complete export, a receipt or a checkpoint.",
    ),
    Problem.UNREADABLE: Words(
        fr="une chaîne JSON par ligne était attendue, autre chose a été lu. "
        "Redemandez l'export complet.",
        en="one JSON string per line was expected, something else was read. "
        "Ask for the complete export again.",
    ),
    Problem.BAD_KEY: Words(
        fr="Une clé de vérification nom+identifiant+base64 du bon type était attendue "
        "(journal ou témoin). Recopiez-la en entier.",
        en="A verifier key name+id+base64 of the right kind was expected (log or witness). "
        "Copy the whole of it.",
    ),
    Problem.MALFORMED: Words(
        fr="Le fichier n'a pas le format attendu d'un point de contrôle ou d'un reçu. "
        "Redemandez-le.",
        en="The file does not have the format of a checkpoint or a receipt. Ask for it again.",
    ),
    Problem.UNTRUSTED: Words(
        fr="Aucune signature de la clé donnée pour ce journal. Vérifiez la clé, reçue par un "
        "autre chemin.",
        en="No signature by the given key for this log. Check the key, received by another way.",
    ),
    Problem.WITNESS_MISSING: Words(
        fr="Un témoin demandé n'a pas cosigné, ou n'est pas distinct du journal et des autres. "
        "Attendez sa cosignature ou corrigez la liste.",
        en="A required witness has not cosigned, or is not distinct from the log and the others. "
        "Wait for the cosignature or correct the list.",
    ),
    Problem.NO_FORMER_LOG: Words(
        fr="Ce journal continue celui de l'année d'avant, qui n'est pas là (shards/0, shards/1…). "
        "Demandez l'export complet.",
        en="This log continues the one of the year before, which is not here (shards/0, "
        "shards/1...). Ask for the complete export.",
    ),
    Problem.KEY_COUNT: Words(
        fr="Une clé par journal annuel était attendue, du plus ancien au plus récent. Répétez "
        "--vkey.",
        en="One key for each yearly log was expected, oldest first. Repeat --vkey.",
    ),
    Problem.HANDOVER: Words(
        fr="deux journaux annuels ne se suivent pas : la clôture de l'un ou l'ouverture de l'autre "
        "manque, nomme un autre journal ou d'autres entrées.",
        en="two yearly logs do not follow each other: the closing of one or the opening of the "
        "other is missing, or names another log or other entries.",
    ),
    Problem.FORGED_CHECKPOINT: Words(
        fr="Le point de contrôle se réclame de la clé du journal, mais sa signature est fausse.",
        en="The checkpoint claims the log's key, but its signature is false.",
    ),
    Problem.FORGED_COSIGNATURE: Words(
        fr="Une cosignature se réclame d'un témoin, mais elle est fausse.",
        en="A cosignature claims a witness's key, but it is false.",
    ),
    Problem.ENTRY_COUNT: Words(
        fr="Le nombre d'entrées n'est pas celui que le journal a signé : il en manque, "
        "ou il y en a trop.",
        en="The number of entries is not the one that the log signed: some are missing, "
        "or there are too many.",
    ),
    Problem.ROOT: Words(
        fr="Les entrées ne donnent pas la racine signée : au moins une a été changée ou déplacée.",
        en="The entries do not give the signed root: at least one was changed or moved.",
    ),
    Problem.MALFORMED_ENTRY: Words(
        fr="ce n'est pas un événement de consentement bien formé.",
        en="this is not a well-formed consent event.",
    ),
    Problem.FORGED_ENTRY: Words(
        fr="la signature de l'événement est fausse.",
        en="the signature of the event is false.",
    ),
    Problem.OTHER_LOG: Words(
        fr="l'événement a été signé pour un autre journal.",
        en="the event was signed for another log.",
    ),
    Problem.BROKEN_CHAIN: Words(
        fr="l'événement ne continue pas la chaîne de son consentement "
        "(rejeu, trou ou clé étrangère).",
        en="the event does not continue its consent's chain (a replay, a gap or a foreign key).",
    ),
    Problem.REWRITTEN: Words(
        fr="Le journal ne contient pas ce qu'un ancien point de contrôle atteste : "
        "il a été réécrit ou raccourci.",
        en="The log does not hold what an older checkpoint attests: it was rewritten or shortened.",
    ),
    Problem.NOT_OPENED: Words(
        fr="Ce texte et cette clé n'ouvrent pas l'engagement de l'événement : il parlait d'autre "
        "chose.",
        en="This text and key do not open the event's commitment: it spoke of something else.",
    ),
    Problem.NOT_INCLUDED: Words(
        fr="la preuve ne mène pas du reçu à la racine signée.",
        en="the proof does not lead from the receipt to the signed root.",
    ),
}
