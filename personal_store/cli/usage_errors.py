"""What the command line says of a command that it cannot read: in French as in English.

The framework speaks English only. Its sentences are matched here and said in French; one that is
not known is passed on as it is. It decides nothing: the framework, or a command, has refused.
"""

import re
from typing import Final

from typer.exceptions import TyperException

from personal_store.settings import Language

BETWEEN_LANGUAGES: Final = " / "
"""What parts French from English in the refusals that commands raise themselves."""

_INVALID: Final = re.compile(r"Invalid value(?: for (?P<of>'.+?'))?: (?:Value error, )?(?P<why>.+)")

_FRENCH: Final = tuple(
    (re.compile(english), french)
    for english, french in (
        (
            r"No such option: (\S+) \(Possible options: (.+)\)",
            r"option inconnue : \1 (proches : \2).",
        ),
        (r"No such option: (\S+)", r"option inconnue : \1."),
        (
            r"No such command '(.+?)'\. Did you mean (.+)\?",
            r"commande inconnue : \1 (proches : \2).",
        ),
        (r"No such command '(.+)'\.", r"commande inconnue : \1."),
        (r"Missing command\.", "il manque une commande."),
        (r"Missing \w+ '(.+?)'\. Choose from: (.+)", r"il manque \1, à choisir parmi : \2."),
        (r"Missing \w+ '(.+)'\.", r"il manque \1."),
        (r"Got unexpected extra argument\(s\) \((.+)\)", r"en trop : \1."),
        (r"Option '(.+)' requires an argument\.", r"l'option \1 attend une valeur."),
        (r"Option '(.+)' does not take a value\.", r"l'option \1 n'attend pas de valeur."),
        (r"'(.*)' does not match .* '%Y-%m-%d'\.", r"« \1 » n'est pas une date AAAA-MM-JJ."),
        (r"'(.*)' does not match the formats? (.+)\.", r"« \1 » n'est pas de la forme \2."),
        (r"'(.*)' is not one of (.+)\.", r"« \1 » n'est pas l'un de \2."),
        (r"Input should be greater than or equal to (.+)", r"au moins \1."),
        (r"Input should be less than or equal to (.+)", r"au plus \1."),
        (r"Input should be a valid integer.*", "un nombre entier est attendu."),
        (r"Input should be a valid number.*", "un nombre est attendu."),
        (r"\w+ '(.+)' does not exist\.", r"« \1 » n'existe pas."),
        (r"\w+ '(.+)' is not readable\.", r"« \1 » n'est pas lisible."),
    )
)


def said(refusal: TyperException, language: Language) -> str:
    """Return what a person is told: what is wrong, and how to see what is right.

    Empty where the help has been shown in place of a sentence.
    """
    message = " ".join(refusal.format_message().split())
    if not message:
        return ""
    asked = getattr(getattr(refusal, "param", None), "help", None)
    if asked and re.fullmatch(r"Missing argument '\w+'\.?", message):
        # The name of an argument is the program's own; its help is what a person would call it.
        french, _, english = asked.partition(BETWEEN_LANGUAGES)
        message = f"Missing: {english or french}" if language == "en" else f"Il manque : {french}"
    context = getattr(refusal, "ctx", None)
    command = "personal-store" if context is None else context.command_path
    if language == "en":
        return f"{in_english(message)} “{command} --help” says more."
    return f"{in_french(message)} « {command} --help » en dit plus."


def in_french(message: str) -> str:
    """Return a refusal in French, and as it is where it is not known.

    >>> in_french("Missing option '--to'."), in_french("Invalid value: pas ainsi. / not like this.")
    ('Il manque --to.', 'Pas ainsi.')
    """
    invalid = _INVALID.fullmatch(message)
    of, why = (invalid["of"], invalid["why"]) if invalid else (None, message)
    french = why.partition(BETWEEN_LANGUAGES)[0] if invalid else why
    for pattern, template in _FRENCH:
        if found := pattern.fullmatch(why):
            french = found.expand(template)
            break
    if of is not None:
        name = of.replace("'", "")
        return f"{name} : {french}"
    return french[:1].upper() + french[1:]


def in_english(message: str) -> str:
    """Return a refusal in English; of one that is in both languages, the second half.

    >>> in_english("Invalid value: pas ainsi. / not like this.")
    'Not like this.'
    """
    french, between, english = message.partition(BETWEEN_LANGUAGES)
    whole = english if between and _INVALID.fullmatch(french) else message
    return whole[:1].upper() + whole[1:] if whole.endswith((".", "?", "!")) else f"{whole}."
