"""The commands about devices: `personal-store devices add | list | rename | key | revoke`."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from personal_store.cli.console import JsonOption, Session, read_secret
from personal_store.db.devices import Device
from personal_store.documents.imports import drain_document, drain_sentences
from personal_store.doors import device_setup, devices
from personal_store.jobs import draining
from personal_store.wording import several, several_en

_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})
devices_app = typer.Typer(
    help="Les appareils qui envoient des positions. / The devices that send positions.",
    no_args_is_help=True,
)


@devices_app.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Nom de votre choix. / A name of your choice.")],
    address: Annotated[
        str, typer.Option(help="Adresse vue du téléphone. / Address as the phone sees it.")
    ] = "http://127.0.0.1:8640",
) -> None:
    """Autoriser un appareil ; montre son jeton. / Let a device send; shows its token."""
    session: Session = context.obj
    store = session.open()
    device_setup.check_address(address)
    made = devices.add(store, name)
    session.say(
        fr=f"Appareil « {made.device} » autorisé. Jeton, clé et réglages ci-dessous, montrés cette "
        "seule fois ; la page « Mes appareils » les montre aussi en code QR.",
        en=f"Device “{made.device}” may send. Token, key and set-ups below, shown this once; the "
        "page “My devices” also draws them as QR codes.",
    )
    if urlsplit(address).hostname in _THIS_MACHINE:
        session.say(
            fr="Ces réglages ne valent que sur cette machine. Pour un téléphone, donnez l'adresse "
            "à laquelle il la joint : « --address https://maison.example », et le même nom à "
            "« serve --name ».",
            en="These set-ups hold on this machine alone. For a phone, give the address at which "
            "it reaches it: “--address https://home.example”, and the same name to “serve --name”.",
        )
    session.answer(
        {
            "device": made.device,
            "token": made.token,
            "encryption_key": made.encryption_key,
            "set_up": {
                each.app.value: each.link or list(each.lines)
                for each in device_setup.set_ups(made, address=address)
            },
        }
    )


@devices_app.command("list")
def list_devices(context: typer.Context, as_json: JsonOption = False) -> None:
    """Lister les appareils et ce qu'ils ont envoyé. / List devices and what they sent."""
    session: Session = context.obj
    found = devices.every(session.open())
    if as_json:
        session.answer([_document(each) for each in found])
        return
    if not found:
        session.say(fr="Aucun appareil n'envoie ses positions.", en="No device sends positions.")
    for each in found:
        session.say(**_sentences(each))


@devices_app.command()
def rename(context: typer.Context, device: str, name: str) -> None:
    """Montrer un appareil sous un autre nom. / Show a device under another name."""
    session: Session = context.obj
    devices.rename(session.open(), device, name)
    session.say(
        fr=f"L'appareil « {device} » s'appelle « {name} ».", en=f"Device “{device}” is “{name}”."
    )


@devices_app.command()
def key(
    context: typer.Context,
    device: str,
    key_file: Annotated[
        Path, typer.Option(help="Fichier de la clé du téléphone. / File of the phone's key.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Corriger la clé OwnTracks et relire. / Correct the OwnTracks key, then read again."""
    session: Session = context.obj
    store = session.open()
    devices.correct_key(store, device, read_secret(key_file))
    report = draining.run_once(store, retry_kept=True)
    session.say(**drain_sentences(report))
    if as_json:
        session.answer(drain_document(report))


@devices_app.command()
def revoke(context: typer.Context, device: str) -> None:
    """Révoquer le jeton d'un appareil. / Revoke a device's token."""
    session: Session = context.obj
    devices.revoke(session.open(), device)
    session.say(
        fr=f"L'appareil « {device} » n'envoie plus ; ses positions restent.",
        en=f"Device “{device}” sends no more; its positions stay.",
    )


def _sentences(each: Device) -> dict[str, str]:
    name = each.name if each.name == each.device else f"{each.name} ({each.device})"
    seen = f"{each.seen_at:%Y-%m-%d %H:%M} UTC" if each.seen_at else None
    return {
        "fr": f"{name}{', révoqué' if each.revoked_at else ''} : "
        f"{f'dernier message {seen}' if seen else 'aucun message encore'} ; "
        f"{several(each.positions, 'position', 'positions')}, "
        f"{several(each.rejected, 'impossible', 'impossibles')}, "
        f"{several(each.unreadable, 'message illisible', 'messages illisibles')}.",
        "en": f"{name}{', revoked' if each.revoked_at else ''}: "
        f"{f'last message {seen}' if seen else 'no message yet'}; "
        f"{several_en(each.positions, 'position', 'positions')}, {each.rejected} impossible, "
        f"{several_en(each.unreadable, 'unreadable message', 'unreadable messages')}.",
    }


def _document(each: Device) -> dict[str, object]:
    return {
        "device": each.device,
        "name": each.name,
        "seen_at": each.seen_at.isoformat() if each.seen_at else None,
        "revoked_at": each.revoked_at.isoformat() if each.revoked_at else None,
        "positions": each.positions,
        "rejected": each.rejected,
        "unreadable": each.unreadable,
    }
