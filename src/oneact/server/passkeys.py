"""A person's passkeys: registered through the `webauthn` library, kept in the form in which rosters list them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import webauthn
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography, options_to_json_dict
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.protocol import base64url, passkey
from oneact.protocol.passkey import Credential
from oneact.server import gestures
from oneact.store import Write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oneact.protocol.canonical import Json
    from oneact.server.gestures import Gesture
    from oneact.server.world import World
    from oneact.store.contract import Row

_ALGORITHMS: Final = {
    COSEAlgorithmIdentifier.ECDSA_SHA_256: "ES256",
    COSEAlgorithmIdentifier.EDDSA: "EdDSA",
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256: "RS256",
}


async def of_account(world: World, account: str) -> list[Credential]:
    """Give the passkeys that an account has now."""
    return [Credential(row["id"], row["public_key"], row["alg"]) for row in await rows(world, account)]


async def rows(world: World, account: str) -> list[Row]:
    """Give the passkeys of an account with their names and times."""
    return await world.store.all("passkeys_of_account", account)


async def creation(
    world: World, session_id: str, about: dict[str, Json], name: str, account: str, known: Iterable[Credential]
) -> dict[str, Json]:
    """Give `{gesture, options}` for `parseCreationOptionsFromJSON`: a passkey on the device, with verification."""
    identifier, challenge = await gestures.begin_registration(world, session_id, about)
    options = webauthn.generate_registration_options(
        rp_id=world.settings.rp_id,
        rp_name="OneAct",
        user_name=name,
        user_display_name=name,
        user_id=account.encode(),
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url.decode(item.id)) for item in known],
        supported_pub_key_algs=list(_ALGORITHMS),
    )
    return {"gesture": identifier, "options": options_to_json_dict(options)}


def registered(world: World, gesture: Gesture, credential: Json) -> Credential:
    """Verify a registration and give the new passkey; refuses `registration_invalid`."""
    if not isinstance(credential, dict):
        raise Refusal(Reason.REGISTRATION_INVALID, "not an object")
    given: dict[str, Any] = credential
    try:
        verified = webauthn.verify_registration_response(
            credential=given,
            expected_challenge=gesture.challenge,
            expected_rp_id=world.settings.rp_id,
            expected_origin=world.settings.origin,
            require_user_verification=True,
            supported_pub_key_algs=list(_ALGORITHMS),
        )
        decoded = decode_credential_public_key(verified.credential_public_key)
        key = decoded_public_key_to_cryptography(decoded).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise Refusal(Reason.REGISTRATION_INVALID, repr(error)) from error
    alg = _ALGORITHMS.get(decoded.alg, "")
    found = Credential(base64url.encode(verified.credential_id), base64url.encode(key), alg)
    return passkey.parse_credential(found.members(), Reason.REGISTRATION_INVALID)


def insertion(created: Credential, account: str, name: str, now: int) -> Write:
    """Give the write that stores a new passkey."""
    return Write("insert_passkey", (created.id, account, created.public_key, created.alg, name, 0, now))


def added(created: Credential, account: str, name: str, now: int, **vouched: Json) -> Entry:
    """Give the log entry of a new passkey, with the gesture that vouches for it where there is one."""
    return Entry(Kind.PASSKEY_ADDED, now, account, "", {"passkey": created.members(), "name": name, **vouched})
