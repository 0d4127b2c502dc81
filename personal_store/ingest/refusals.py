"""The sentences that say why a file or a message is not taken in, in French and in English.

Each says what was expected, what was seen and what to do, and nothing of what the file holds.
The functions build the errors of `personal_store.errors`; they decide nothing, and leave it to
the import to say what of the file is kept.
"""

import errno
from dataclasses import dataclass
from typing import Final

from personal_store.errors import HostileFile, ImportStopped, UnreadableFile, WrongFile

_READ_FR: Final = (
    "un historique de déplacements (GPX, FIT, TCX, KML, GeoJSON, NMEA, CSV, OwnTracks, Google, "
    "e-mission, Cozy, covoiturage, validations)"
)
_READ_EN: Final = (
    "a mobility history (GPX, FIT, TCX, KML, GeoJSON, NMEA, CSV, OwnTracks, Google, e-mission, "
    "Cozy, carpool, taps)"
)


def truncated(kind: str) -> UnreadableFile:
    """Say that the text of a file stops before its end."""
    return UnreadableFile(
        fr=f"Attendu : un fichier {kind} complet ; vu : il s’arrête avant la fin ; "
        "copiez-le ou exportez-le de nouveau.",
        en=f"Expected a whole {kind} file; it stops before its end; copy or export it again.",
    )


def damaged(kind: str) -> UnreadableFile:
    """Say that a file breaks the syntax of its format."""
    return UnreadableFile(
        fr=f"Attendu : un fichier {kind} bien formé ; vu : un contenu qui n’en suit pas les "
        "règles ; exportez-le de nouveau sans le modifier.",
        en=f"Expected a well-formed {kind} file; its contents break the rules of that format; "
        "export it again and leave it as it is.",
    )


def not_utf8() -> UnreadableFile:
    """Say that a text is in another encoding than its format asks."""
    return UnreadableFile(
        fr="Attendu : un texte en UTF-8 ; vu : un autre encodage ; "
        "exportez le fichier de nouveau, sans passer par un éditeur.",
        en="Expected text in UTF-8; it is in another encoding; "
        "export the file again, without an editor in between.",
    )


def not_readable(error: OSError) -> UnreadableFile:
    """Say that the system does not give the file, in our words and never in the system's."""
    seen = _SYSTEM_WORDS.get(error.errno or 0, _SYSTEM_REFUSES)
    return UnreadableFile(
        fr=f"Attendu : un fichier lisible ; vu : {seen.fr} ; {seen.do_fr}.",
        en=f"Expected a file that can be read; {seen.en}; {seen.do_en}.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A refusal of the system, and what to do about it."""

    fr: str
    en: str
    do_fr: str = "vérifiez son chemin"
    do_en: str = "check its path"


_SYSTEM_REFUSES: Final = _Seen(
    fr="le système refuse de le lire",
    en="the system refuses to read it",
    do_fr="vérifiez son chemin et ses droits",
    do_en="check its path and its permissions",
)
_FORBIDDEN: Final = _Seen(
    fr="vous n’avez pas le droit de le lire",
    en="you have no permission to read it",
    do_fr="changez ses droits ou copiez-le dans un dossier à vous",
    do_en="change its permissions or copy it to a folder of your own",
)
_SYSTEM_WORDS: Final = {
    errno.ENOENT: _Seen(fr="il n’y a rien à ce chemin", en="there is nothing at this path"),
    errno.ENOTDIR: _Seen(
        fr="le chemin passe par un fichier qui n’est pas un dossier",
        en="the path leads through a file that is no folder",
    ),
    errno.ENAMETOOLONG: _Seen(fr="le chemin est trop long", en="the path is too long"),
    errno.ELOOP: _Seen(
        fr="des liens symboliques qui tournent en rond", en="symbolic links that go in circles"
    ),
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EIO: _Seen(
        fr="le disque n’arrive pas à le lire",
        en="the disk cannot read it",
        do_fr="copiez-le depuis un autre support",
        do_en="copy it from another disk",
    ),
}


def times_without_offset(column: str) -> WrongFile:
    """Say that the times of a table lack their offset; `column` is the name of their column."""
    return WrongFile(
        fr="Attendu : des heures avec leur décalage (2024-06-15T10:30:00+02:00) ; vu : des heures "
        f"sans fuseau dans la colonne « {column} » ; si ce sont celles de chez vous, importez avec "
        "--local-times (dossier surveillé : « serve --local-times ») ou cochez la case de la page.",
        en="Expected times with their offset (2024-06-15T10:30:00+02:00); those of the column "
        f"“{column}” have none; if they are those of your home, import with --local-times (watched "
        "folder: “serve --local-times”) or tick the box of the page.",
    )


def not_a_file() -> WrongFile:
    """Say that a path is a folder or a device."""
    return WrongFile(
        fr=f"Attendu : {_READ_FR} ; vu : un dossier ou un périphérique ; "
        "donnez le chemin d’un fichier.",
        en=f"Expected {_READ_EN}; this is a folder or a device; give the path of a file.",
    )


def empty_folder() -> WrongFile:
    """Say that a folder has no file."""
    return WrongFile(
        fr=f"Attendu : un dossier avec {_READ_FR} ; vu : aucun fichier ; vérifiez son chemin.",
        en=f"Expected a folder with {_READ_EN}; it has no file; check its path.",
    )


def closed_folder() -> UnreadableFile:
    """Say that the system does not list a folder."""
    return UnreadableFile(
        fr="Attendu : un dossier lisible ; vu : vous n’avez pas le droit de l’ouvrir ; "
        "changez ses droits.",
        en="Expected a folder that can be read; you have no permission to open it; "
        "change its permissions.",
    )


def wrong_file(*, seen_fr: str, seen_en: str, do_fr: str, do_en: str) -> WrongFile:
    """Say that a file is readable but is not a history that is read here."""
    return WrongFile(
        fr=f"Attendu : {_READ_FR} ; vu : {seen_fr} ; {do_fr}.",
        en=f"Expected {_READ_EN}; this is {seen_en}; {do_en}.",
    )


def entry_too_long() -> HostileFile:
    """Say that one entry or line is longer than any real one."""
    return HostileFile(
        fr="Attendu : un historique fait d’entrées courtes ; vu : une seule entrée démesurée ; "
        "n’importez pas ce fichier, ou exportez-le de nouveau à la source.",
        en="Expected a history made of short entries; one entry is longer than any real one; "
        "do not import this file, or export it again at its source.",
    )


def nested_too_deep() -> HostileFile:
    """Say that the nesting is deeper than any real one."""
    return HostileFile(
        fr="Attendu : quelques niveaux d’imbrication ; vu : bien plus qu’aucun export n’en a ; "
        "n’importez pas ce fichier.",
        en="Expected a few levels of nesting; there are far more than any export has; "
        "do not import this file.",
    )


def declares_entities() -> HostileFile:
    """Say that an XML file has a document type, the door to expansions and outside files."""
    return HostileFile(
        fr="Attendu : un fichier XML sans déclaration DOCTYPE ; vu : une telle déclaration, "
        "qui peut ouvrir d’autres fichiers ou saturer la mémoire ; n’importez pas ce fichier, "
        "ou retirez-la.",
        en="Expected an XML file without a DOCTYPE; it declares one, which can open other files or "
        "fill the memory; do not import this file, or remove it.",
    )


def too_many_names() -> HostileFile:
    """Say that an XML file uses more distinct names than any format has."""
    return HostileFile(
        fr="Attendu : les quelques balises d’une trace ; vu : des milliers de noms différents ; "
        "n’importez pas ce fichier.",
        en="Expected the few tags of a track; there are thousands of different names; "
        "do not import this file.",
    )


def no_track() -> WrongFile:
    """Say that a GPX file holds only marks or a plan."""
    return WrongFile(
        fr="Attendu : une trace GPX enregistrée ; vu : seulement des repères ou un itinéraire "
        "prévu, qui ne disent pas où vous étiez ; exportez la trace (« track ») elle-même.",
        en="Expected a recorded GPX track; there are only waypoints or a planned route, which do "
        "not tell where you were; export the track itself.",
    )


def no_activity() -> WrongFile:
    """Say that a TCX or FIT file holds only a plan."""
    return WrongFile(
        fr="Attendu : une activité enregistrée ; vu : un parcours ou un entraînement prévu, qui ne "
        "dit pas où vous étiez ; exportez l’activité elle-même.",
        en="Expected a recorded activity; this is a planned course or workout, which does not "
        "tell where you were; export the activity itself.",
    )


def encrypted_message() -> WrongFile:
    """Say that a live message does not open; refusing it keeps it in the phone's queue."""
    return WrongFile(
        fr="Attendu : un message OwnTracks en clair, ou chiffré avec la clé de cet appareil ; vu : "
        "un message chiffré qui ne s’ouvre pas avec elle ; recopiez la clé dans l’application ou "
        "retirez-la, le téléphone renverra ses positions.",
        en="Expected an OwnTracks message in clear, or encrypted with this device's key; it is "
        "encrypted and does not open with that key; copy the key into the app again or remove it, "
        "and the phone will send its positions again.",
    )


def bad_message() -> UnreadableFile:
    """Say that a live message is not one."""
    return UnreadableFile(
        fr="Attendu : un message de position ; vu : autre chose ; "
        "vérifiez les réglages d’envoi de l’application.",
        en="Expected a message of a position; this is something else; "
        "check the sending settings of the app.",
    )


def message_too_long() -> HostileFile:
    """Say that a live message is longer than any real one."""
    return HostileFile(
        fr="Attendu : un message d’une position ; vu : un message démesuré ; "
        "vérifiez l’application qui l’envoie.",
        en="Expected a message of one position; this one is far longer; "
        "check the app that sends it.",
    )


def hostile_archive() -> HostileFile:
    """Say that an archive is built to fill the disk or to write outside its place."""
    return HostileFile(
        fr="Attendu : une archive zip ordinaire ; vu : des liens, des chemins qui en sortent ou "
        "un contenu démesuré ; n’importez pas cette archive.",
        en="Expected an ordinary zip archive; it has links, paths that lead out of it, or contents "
        "beyond measure; do not import this archive.",
    )


def no_history_in_archive(*, files_fr: str, files_en: str) -> WrongFile:
    """Say that no file of an archive is a history, and what its files are."""
    return wrong_file(
        seen_fr=f"une archive zip dont aucun fichier n’en est un ({files_fr})",
        seen_en=f"a zip archive without any ({files_en})",
        do_fr="choisissez l’export des positions",
        do_en="choose the export of the positions",
    )


def register_of_everybody() -> WrongFile:
    """Say that a table of carpool journeys is the public one."""
    return wrong_file(
        seen_fr="le registre public des covoiturages, où la plupart des trajets sont ceux d’autres "
        "personnes",
        seen_en="the public register of carpools, where most journeys are those of other people",
        do_fr="demandez vos seuls trajets à votre opérateur de covoiturage",
        do_en="ask your carpool operator for your own journeys alone",
    )


def protected_member() -> WrongFile:
    """Say that a file of an archive asks for a password."""
    return wrong_file(
        seen_fr="un fichier protégé par un mot de passe",
        seen_en="a file protected by a password",
        do_fr="décompressez l’archive et importez le fichier",
        do_en="extract the archive and import the file",
    )


def unknown_compression() -> WrongFile:
    """Say that a file of an archive is packed in a way that is not read."""
    return wrong_file(
        seen_fr="un fichier compressé d’une manière rare",
        seen_en="a file packed in a rare way",
        do_fr="décompressez l’archive et importez le fichier",
        do_en="extract the archive and import the file",
    )


def imported_elsewhere() -> ImportStopped:
    """Say that another program goes on with the very same contents."""
    return ImportStopped(
        fr="Attendu : un seul import de ce fichier ; vu : un autre programme importe le même "
        "contenu ; laissez-le finir, rien ne sera perdu ni compté deux fois.",
        en="Expected a single import of this file; another program is importing the same "
        "contents; let it finish, nothing will be lost or counted twice.",
    )
