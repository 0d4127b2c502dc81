"""Tell what a file is from what it holds, never from its name.

A file that no reader recognises is refused with a reason: people pick the wrong file of an
export more often than a damaged one, and each export has its own wrong files.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Final

from personal_store.errors import WrongFile
from personal_store.ingest import refusals
from personal_store.ingest.head import Head, Shape, read_head
from personal_store.ingest.readers import READERS, Reader


def detect(stream: BinaryIO) -> Reader:
    """Return the reader for a stream that stands at its beginning.

    Raises `WrongFile` with the reason, or `UnreadableFile` or `HostileFile` where the very
    beginning is damaged or hostile.
    """
    head = read_head(stream)
    for reader in READERS:
        if reader.recognises(head):
            return reader
    raise next(kind for kind in _WRONG_FILES if kind.recognises(head)).refusal()


@dataclass(frozen=True, slots=True, kw_only=True)
class _WrongKind:
    """A file that people try to import: how to know it, what it is, what to do instead."""

    recognises: Callable[[Head], bool]
    seen_fr: str
    seen_en: str
    do_fr: str
    do_en: str

    def refusal(self) -> WrongFile:
        return refusals.wrong_file(
            seen_fr=self.seen_fr, seen_en=self.seen_en, do_fr=self.do_fr, do_en=self.do_en
        )


def _has_shape(shape: Shape) -> Callable[[Head], bool]:
    return lambda head: head.shape is shape


def _has_key(*keys: str) -> Callable[[Head], bool]:
    return lambda head: head.json is not None and not set(keys).isdisjoint(head.json.keys)


def _is_empty_json(head: Head) -> bool:
    return head.json is not None and not head.json.keys and head.json.first is None


def _is_encrypted_timeline_note(head: Head) -> bool:
    text = head.raw.lower()
    return head.shape is Shape.TEXT and b"encrypted" in text and b"timeline" in text


_EXPORT_TIMELINE_FR: Final = (
    "sur le téléphone : Paramètres, Position, Services de localisation, Vos trajets, Exporter"
)
_EXPORT_TIMELINE_EN: Final = "on the phone: Settings, Location, Location services, Timeline, Export"
_EXTRACT_FR: Final = "décompressez-la et importez les fichiers qu’elle contient"
_EXTRACT_EN: Final = "extract it and import the files inside"
_AS_GPX_FR: Final = "exportez la même trace en GPX"
_AS_GPX_EN: Final = "export the same track as GPX"

_WRONG_FILES: Final = (
    _WrongKind(
        recognises=_has_shape(Shape.EMPTY),
        seen_fr="un fichier vide",
        seen_en="an empty file",
        do_fr="copiez-le ou exportez-le de nouveau",
        do_en="copy or export it again",
    ),
    _WrongKind(
        recognises=_has_shape(Shape.ZIP),
        seen_fr="une archive zip dans une archive",
        seen_en="a zip archive inside an archive",
        do_fr=_EXTRACT_FR,
        do_en=_EXTRACT_EN,
    ),
    _WrongKind(
        recognises=_has_shape(Shape.GZIP),
        seen_fr="une archive gzip dans une archive",
        seen_en="a gzip archive inside an archive",
        do_fr=_EXTRACT_FR,
        do_en=_EXTRACT_EN,
    ),
    _WrongKind(
        recognises=_has_shape(Shape.PDF),
        seen_fr="un document PDF",
        seen_en="a PDF document",
        do_fr="demandez à la source un export GPX ou JSON",
        do_en="ask its source for a GPX or JSON export",
    ),
    _WrongKind(
        recognises=lambda head: head.shape is Shape.HTML or head.xml_root == "html",
        seen_fr="une page web (dans un export Google : le sommaire de l’archive)",
        seen_en="a web page (in a Google export: the table of contents of the archive)",
        do_fr="l’historique est le fichier Records.json ou Timeline.json du même export",
        do_en="the history is Records.json or Timeline.json of the same export",
    ),
    _WrongKind(
        recognises=_is_encrypted_timeline_note,
        seen_fr="la note qui remplace un historique Google chiffré",
        seen_en="the note that stands for an encrypted Google Timeline",
        do_fr=f"exportez l’historique {_EXPORT_TIMELINE_FR}",
        do_en=f"export the history {_EXPORT_TIMELINE_EN}",
    ),
    _WrongKind(
        recognises=_has_key("deviceSettings", "hasReportedLocations", "gaiaId"),
        seen_fr="le fichier des réglages (Settings.json) d’un export Google",
        seen_en="the settings file (Settings.json) of a Google export",
        do_fr="l’historique est le fichier Records.json du même export, ou bien "
        + _EXPORT_TIMELINE_FR,
        do_en="the history is Records.json of the same export, or else " + _EXPORT_TIMELINE_EN,
    ),
    _WrongKind(
        recognises=_has_key("timelineEdits"),
        seen_fr="la liste des corrections (Timeline Edits.json) d’un export Google",
        seen_en="the list of edits (Timeline Edits.json) of a Google export",
        do_fr="l’historique est le fichier Records.json du même export, ou bien "
        + _EXPORT_TIMELINE_FR,
        do_en="the history is Records.json of the same export, or else " + _EXPORT_TIMELINE_EN,
    ),
    _WrongKind(
        recognises=lambda head: head.json is not None and "_type" in head.json.keys,
        seen_fr="un seul message OwnTracks",
        seen_en="a single OwnTracks message",
        do_fr="importez les journaux .rec du serveur OwnTracks",
        do_en="import the .rec logs of the OwnTracks recorder",
    ),
    _WrongKind(
        recognises=_has_key("all_steps"),
        seen_fr="le récit d’un voyage Polarsteps (trip.json)",
        seen_en="the story of a Polarsteps trip (trip.json)",
        do_fr="les positions sont dans le fichier locations.json du même export",
        do_en="the positions are in locations.json of the same export",
    ),
    _WrongKind(
        recognises=_is_empty_json,
        seen_fr="un fichier JSON sans aucune entrée",
        seen_en="a JSON file without any entry",
        do_fr="exportez l’historique de nouveau",
        do_en="export the history again",
    ),
    _WrongKind(
        recognises=_has_shape(Shape.JSON),
        seen_fr="un fichier JSON d’une autre sorte",
        seen_en="a JSON file of another kind",
        do_fr="cherchez Records.json ou Timeline.json dans le même export",
        do_en="look for Records.json or Timeline.json in the same export",
    ),
    _WrongKind(
        recognises=_has_shape(Shape.XML),
        seen_fr="un fichier XML d’une autre sorte",
        seen_en="an XML file of another kind",
        do_fr=_AS_GPX_FR,
        do_en=_AS_GPX_EN,
    ),
    _WrongKind(
        recognises=_has_shape(Shape.BINARY),
        seen_fr="un fichier binaire inconnu (image, film, base de données…)",
        seen_en="an unknown binary file (a picture, a film, a database...)",
        do_fr="choisissez le fichier de l’historique",
        do_en="choose the file of the history",
    ),
    _WrongKind(
        recognises=lambda _: True,
        seen_fr="un texte d’une autre sorte",
        seen_en="a text of another kind",
        do_fr="un tableau doit nommer ses colonnes de latitude, de longitude et de temps",
        do_en="a table must name its columns of latitude, longitude and time",
    ),
)
