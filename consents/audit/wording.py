"""What the auditor says to people, in French and in English.

Sentences only: which one is said is decided by the checks; where it is printed, by
`consents.audit.command` and `consents.audit.page`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from consents.audit.findings import AuditFinding, AuditProblem, AuditResult, Subject
from consents.verify.wording import COLON, ENTRY, Language, Words


def title(subject: Subject, language: Language) -> str:
    """Return the question that an audit answers."""
    return _TITLES[subject].say(language)


def sentence(finding: AuditFinding, language: Language) -> str:
    """Return the sentence of a finding, with its place in the log and in its batch."""
    said = _PROBLEMS[finding.problem].say(language)
    places: list[str] = []
    if finding.entry is not None:
        places.append(f"{ENTRY.say(language)} {finding.entry}")
    if finding.item is not None:
        places.append(f"{_ITEM.say(language)} {finding.item}")
    if not places:
        return said[0].upper() + said[1:]
    return ", ".join(places) + COLON.say(language) + said


def checked(result: AuditResult, language: Language) -> list[str]:
    """Return the lines that say which log was audited, as of when, and by whose witness."""
    if result.checkpoint is None:
        return []
    lines = [f"{_LOG.say(language)}{COLON.say(language)}{result.checkpoint.origin}"]
    for name, at in sorted(result.cosigned_at.items()):
        lines.append(f"{_WITNESS.say(language)} {name}{COLON.say(language)}{moment(at, language)}")
    return lines


def moment(at: datetime, language: Language) -> str:
    """Return an aware time to the minute, in UTC, as people write it."""
    utc = at.astimezone(UTC)
    month = _MONTHS[utc.month - 1].say(language)
    if language is Language.EN:
        return f"{utc.day} {month} {utc.year}, {utc:%H:%M} (UTC)"
    return f"{utc.day} {month} {utc.year} à {utc:%H:%M} (UTC)"


_ITEM = Words(fr="contribution", en="contribution")
_LOG = Words(fr="Journal", en="Log")
_WITNESS = Words(fr="Cosigné par", en="Cosigned by")

_MONTHS = (
    Words(fr="janvier", en="January"),
    Words(fr="février", en="February"),
    Words(fr="mars", en="March"),
    Words(fr="avril", en="April"),
    Words(fr="mai", en="May"),
    Words(fr="juin", en="June"),
    Words(fr="juillet", en="July"),
    Words(fr="août", en="August"),
    Words(fr="septembre", en="September"),
    Words(fr="octobre", en="October"),
    Words(fr="novembre", en="November"),
    Words(fr="décembre", en="December"),
)

_TITLES: Mapping[Subject, Words] = {
    Subject.MONITOR: Words(
        fr="Suivi du journal",
        en="Following the log",
    ),
    Subject.COVERAGE: Words(
        fr="Chaque contribution repose-t-elle sur un consentement ?",
        en="Does every contribution rest on a consent?",
    ),
    Subject.AFTER_WITHDRAWAL: Words(
        fr="Rien n'a-t-il été utilisé après un retrait ?",
        en="Was nothing used after a withdrawal?",
    ),
    Subject.PURPOSES: Words(
        fr="Les finalités sont-elles publiées et inchangées ?",
        en="Are the purposes published and unchanged?",
    ),
    Subject.BUDGET: Words(
        fr="La perte de confidentialité (ε) reste-t-elle dans les limites ?",
        en="Does the privacy loss (ε) stay within the limits?",
    ),
    Subject.LATE: Words(
        fr="Les dates sont-elles plausibles ?",
        en="Are the dates plausible?",
    ),
    Subject.PROMISES: Words(
        fr="Les promesses sont-elles tenues ?",
        en="Are the promises kept?",
    ),
    Subject.RELEASE: Words(
        fr="Les publications sont-elles fondées ?",
        en="Are the releases well founded?",
    ),
    Subject.ANNUAL: Words(
        fr="Rapport annuel de l'intermédiaire de données",
        en="Annual record of the data intermediary",
    ),
}

_PROBLEMS: Mapping[AuditProblem, Words] = {
    AuditProblem.NO_FILE: Words(
        fr="un fichier attendu manque ou ne peut pas être lu. Redemandez l'export complet.",
        en="an expected file is missing or cannot be read. Ask for the complete export again.",
    ),
    AuditProblem.BAD_FILE: Words(
        fr="un fichier n'a pas la forme attendue. Redemandez l'export.",
        en="a file does not have the expected form. Ask for the export again.",
    ),
    AuditProblem.BAD_POLICY: Words(
        fr="le fichier de confiance (--policy) ne peut pas être lu, ou nomme deux "
        "fois la même clé.",
        en="the trust file (--policy) cannot be read, or names one key twice.",
    ),
    AuditProblem.KEYS_BESIDE_LOG: Words(
        fr="le fichier de confiance ou de travail se trouve dans l'export : il "
        "pourrait venir de l'opérateur. Prenez le vôtre, reçu par un autre chemin.",
        en="the trust file or working folder lies in the export: it may be the "
        "operator's. Use your own, received by another way.",
    ),
    AuditProblem.NO_QUORUM: Words(
        fr="le point de contrôle n'est pas signé par le journal attendu et par assez de témoins.",
        en="the checkpoint is not signed by the expected log and by enough witnesses.",
    ),
    AuditProblem.NO_BODY: Words(
        fr="l'opérateur n'a pas remis ce que cette entrée engage.",
        en="the operator did not hand over what this entry commits to.",
    ),
    AuditProblem.NO_BATCH: Words(
        fr="l'opérateur n'a pas remis les contributions de ce lot.",
        en="the operator did not hand over the contributions of this batch.",
    ),
    AuditProblem.NO_TASK: Words(
        fr="la question de ce lot manque.",
        en="the question of this batch is missing.",
    ),
    AuditProblem.NO_PURPOSE_TEXT: Words(
        fr="le texte d'une finalité manque.",
        en="the text of a purpose is missing.",
    ),
    AuditProblem.NO_NOTICE: Words(
        fr="la notice d'information (article 13) d'une finalité manque, ou l'entrée n'en engage "
        "aucune.",
        en="the notice (Article 13) of a purpose is missing, or its entry commits to none.",
    ),
    AuditProblem.NO_RELEASE_FILE: Words(
        fr="la publication manque.",
        en="the release is missing.",
    ),
    AuditProblem.BAD_WORKSPACE: Words(
        fr="ce que votre dossier de travail garde est abîmé ou d'une autre politique. Effacez-en "
        "les fichiers .timeline et .items : tout sera vérifié de nouveau.",
        en="what your working folder keeps is damaged or of another policy. Delete its .timeline "
        "and .items files: everything will be verified anew.",
    ),
    AuditProblem.NO_TIMES: Words(
        fr="aucun point de contrôle cosigné ne donne l'heure.",
        en="no cosigned checkpoint gives the time.",
    ),
    AuditProblem.BAD_EVIDENCE: Words(
        fr="une promesse ou un reçu de dépôt ne vient pas d'une clé de confiance.",
        en="a promise or drop-box slip is not by a trusted key.",
    ),
    AuditProblem.NO_FORMER_LOG: Words(
        fr="ce journal continue celui de l'année d'avant, qui n'est pas dans l'export (shards/). "
        "Demandez l'export complet.",
        en="this log continues the one of the year before, which is not in the export (shards/). "
        "Ask for the complete export.",
    ),
    AuditProblem.HANDOVER: Words(
        fr="deux journals annuels ne se suivent pas : la clôture de l'un ou l'ouverture de "
        "l'autre manque, nomme un autre journal ou d'autres entrées.",
        en="two yearly logs do not follow each other: the closing of one or the opening of the "
        "other is missing, or names another log or other entries.",
    ),
    AuditProblem.FORGED_CHECKPOINT: Words(
        fr="une signature du point de contrôle est fausse.",
        en="a signature of the checkpoint is false.",
    ),
    AuditProblem.LOG: Words(
        fr="le journal lui-même est fautif (signature, chaîne ou racine).",
        en="the log itself is at fault (signature, chain or root).",
    ),
    AuditProblem.FORK: Words(
        fr="le journal contredit un point de contrôle gardé : il a été réécrit, "
        "raccourci ou dédoublé. Gardez les deux : ils sont la preuve.",
        en="the log contradicts a checkpoint that was kept: it was rewritten, "
        "shortened or forked. Keep both: they are the evidence.",
    ),
    AuditProblem.STRANGER_ACT: Words(
        fr="une entrée d'opérateur n'est pas signée par l'opérateur.",
        en="an operator's entry is not signed by the operator.",
    ),
    AuditProblem.BODY_MISMATCH: Words(
        fr="ce que l'opérateur montre n'est pas ce que l'entrée engage.",
        en="what the operator shows is not what the entry commits to.",
    ),
    AuditProblem.BATCH_MISMATCH: Words(
        fr="les contributions remises ne sont pas celles du lot engagé.",
        en="the contributions handed over are not those of the committed batch.",
    ),
    AuditProblem.EPSILON_SUM: Words(
        fr="la somme d'epsilon déclarée n'est pas celle des contributions.",
        en="the declared sum of epsilon is not that of the contributions.",
    ),
    AuditProblem.EPSILON_OF_TASK: Words(
        fr="une contribution annonce un autre epsilon que celui de sa question.",
        en="a contribution states another epsilon than its question's.",
    ),
    AuditProblem.FORGED_CONTRIBUTION: Words(
        fr="une contribution est mal formée ou sa signature est fausse.",
        en="a contribution is malformed or its signature is false.",
    ),
    AuditProblem.NEVER_CONSENTED: Words(
        fr="aucun consentement dans le journal avant ce lot.",
        en="no consent in the log before this batch.",
    ),
    AuditProblem.NOT_PERMITTED: Words(
        fr="le dernier choix avant ce lot n'autorise rien (refus, report, expiration, "
        "signature manquante).",
        en="the last choice before this batch permits nothing (refused, deferred, "
        "expired, a signature missing).",
    ),
    AuditProblem.WITHDRAWN: Words(
        fr="le consentement était retiré avant ce lot.",
        en="the consent was withdrawn before this batch.",
    ),
    AuditProblem.WRONG_KEY: Words(
        fr="la contribution n'est pas signée par la clé du consentement.",
        en="the contribution is not signed by the consent's key.",
    ),
    AuditProblem.WRONG_HEAD: Words(
        fr="la contribution ne repose pas sur le dernier choix inscrit.",
        en="the contribution does not rest on the last choice logged.",
    ),
    AuditProblem.WRONG_PURPOSE: Words(
        fr="la contribution sert une autre finalité que celle qui est acceptée.",
        en="the contribution serves another purpose than the one agreed to.",
    ),
    AuditProblem.WRONG_TASK: Words(
        fr="la contribution répond à une autre question.",
        en="the contribution answers another question.",
    ),
    AuditProblem.EXPIRED: Words(
        fr="le consentement avait expiré.",
        en="the consent had expired.",
    ),
    AuditProblem.FIELDS_EXCEEDED: Words(
        fr="des données au-delà des limites acceptées.",
        en="data beyond the limits agreed to.",
    ),
    AuditProblem.AREA_EXCEEDED: Words(
        fr="la contribution est d'une zone hors des limites acceptées.",
        en="the contribution is from a zone outside the limits agreed to.",
    ),
    AuditProblem.DUPLICATE: Words(
        fr="le même consentement, ou la même clé, compte deux fois dans la semaine.",
        en="the same consent, or the same key, counts twice in the week.",
    ),
    AuditProblem.OVER_WEEK: Words(
        fr="plus d'epsilon dans la semaine que permis.",
        en="more epsilon in the week than permitted.",
    ),
    AuditProblem.OVER_TOTAL: Words(
        fr="plus d'epsilon au total que permis.",
        en="more epsilon in total than permitted.",
    ),
    AuditProblem.EVIDENCE_IGNORED: Words(
        fr="un retrait reçu avant le lot, preuve à l'appui, n'a pas été honoré.",
        en="a withdrawal provably received before the batch was not honoured.",
    ),
    AuditProblem.PURPOSE_UNPUBLISHED: Words(
        fr="la finalité n'était pas publiée avant cette entrée.",
        en="the purpose was not published before this entry.",
    ),
    AuditProblem.PURPOSE_EDITED: Words(
        fr="le texte d'une finalité n'est pas celui qui est inscrit, ou a changé sans "
        "changer de version.",
        en="the text of a purpose is not the one logged, or changed without a new version.",
    ),
    AuditProblem.NOTICE_EDITED: Words(
        fr="une notice d'information remise n'est aucune de celles qui sont inscrites.",
        en="a notice that was handed over is none of those logged.",
    ),
    AuditProblem.LATE: Words(
        fr="la date annoncée n'est pas possible d'après les témoins (antidatée ou postdatée).",
        en="the claimed date is not possible by the witnesses (dated back or ahead).",
    ),
    AuditProblem.PROMISE_BROKEN: Words(
        fr="un événement promis n'est pas dans le journal à l'échéance.",
        en="a promised event is not in the log when due.",
    ),
    AuditProblem.PROMISE_LATE: Words(
        fr="un événement promis a été inscrit après l'échéance.",
        en="a promised event was logged after it was due.",
    ),
    AuditProblem.RELEASE_CHANGED: Words(
        fr="la publication n'est pas celle dont l'empreinte est inscrite.",
        en="the release is not the one whose digest is logged.",
    ),
    AuditProblem.RELEASE_WITHOUT_BATCH: Words(
        fr="aucun lot de la même question n'a été engagé avant cette publication.",
        en="no batch of the same question was committed to before this release.",
    ),
    AuditProblem.RELEASE_TWICE: Words(
        fr="deux publications pour une même question.",
        en="two releases for one question.",
    ),
    AuditProblem.RELEASE_COUNT: Words(
        fr="le nombre publié n'est pas celui du lot.",
        en="the published count is not the batch's.",
    ),
    AuditProblem.ERASED_EARLY: Words(
        fr="les contributions d'un lot ont été effacées avant la fin de la conservation annoncée.",
        en="the contributions of a batch were erased before the stated retention ended.",
    ),
    AuditProblem.ERASED_SELECTIVELY: Words(
        fr="ce lot est encore là, ou manque sans effacement inscrit, alors que d'autres de la même "
        "échéance ont été effacés : rien ne doit être choisi.",
        en="this batch is still there, or missing without a logged erasure, while others that were "
        "due were erased: nothing may be chosen.",
    ),
    AuditProblem.ERASED_UNFOUNDED: Words(
        fr="cet effacement ne vise aucun lot engagé auparavant pour cette question, ou ses "
        "contributions sont encore remises.",
        en="this erasure names no batch of that question before it, or its contributions are "
        "still handed over.",
    ),
}
