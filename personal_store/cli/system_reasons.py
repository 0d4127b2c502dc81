"""Why the system refused an operation on a file, in words of the person's language.

The system's own words are in the language of its locale, or in English; those that are not here
are passed on as they are.
"""

import errno
import os
from typing import Final

from personal_store.settings import Language

_FRENCH: Final = {
    errno.ENOSPC: "il n'y a plus de place sur le disque",
    errno.EDQUOT: "votre part du disque est pleine",
    errno.EFBIG: "le fichier est trop grand pour ce disque",
    errno.EROFS: "le disque est en lecture seule",
    errno.EACCES: "ce compte n'en a pas le droit",
    errno.EPERM: "ce compte n'en a pas le droit",
    errno.ENOENT: "ce fichier ou ce dossier n'existe pas",
    errno.ENOTDIR: "un fichier est là où un dossier est attendu",
    errno.EISDIR: "un dossier est là où un fichier est attendu",
    errno.EEXIST: "ce nom est déjà pris",
    errno.ENAMETOOLONG: "le nom est trop long",
    errno.EIO: "le disque ne répond pas comme il faut",
    errno.EMFILE: "trop de fichiers sont ouverts",
    errno.ENOTEMPTY: "le dossier n'est pas vide",
}


def reason_of(error: OSError, language: Language) -> str:
    """Return why, without any path; of an error that has no number, the name of its kind.

    >>> reason_of(OSError(errno.ENOSPC, "full"), "fr")
    "il n'y a plus de place sur le disque"
    """
    if error.errno is None:
        return type(error).__name__
    said = os.strerror(error.errno)
    return said if language == "en" else _FRENCH.get(error.errno, said)
