"""Makes the vectors of the log and its evidence: `python -m tests.vectors.generate_log`.

By hand, as `tests.vectors.generate`: signatures differ each time.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oneact.log import checkpoint, tree
from oneact.log.checkpoint import Checkpoint, Verifier
from oneact.protocol import base64url
from tests.log.acts import Story, members
from tests.log.test_proving import BENT
from tests.log.trees import leaves, mth, reading
from tests.vectors.generate import File, changed

LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = "approve.example/log"
ENTRY: dict[str, Any] = {
    "kind": "denied", "at": 1772000040, "account": "a-1", "request": "t-1", "content": {"statement": "e30.e30.AA"},
}  # fmt: skip
SALT = base64url.encode(bytes(range(16)))


def make_entry() -> None:
    file = File("entry", "An entry of the log and the commitment that stands for it in the tree (section 9.1).")
    file.good("an entry", entry=ENTRY, salt=SALT)
    file.good("an entry of nobody", entry={**ENTRY, "kind": "server_started", "account": "", "request": ""}, salt=SALT)
    file.good("under another salt", entry=ENTRY, salt=base64url.encode(bytes(16)))
    file.each("entry", ENTRY, "log_malformed", entry=ENTRY, salt=SALT)
    file.bad("a kind that is none", "log_malformed", entry={**ENTRY, "kind": "forgotten"}, salt=SALT)
    file.bad("content that is no object", "log_malformed", entry={**ENTRY, "content": []}, salt=SALT)
    file.bad("a salt of another length", "log_malformed", entry=ENTRY, salt=base64url.encode(bytes(15)))
    file.write()


def make_checkpoint() -> None:
    file = File("checkpoint", "A checkpoint as a signed note, and the key that verifies it (section 9.2).")
    point = Checkpoint(ORIGIN, 70_000, bytes(range(32)))
    note, key = checkpoint.sign(point, LOG_KEY), Verifier(ORIGIN, LOG_KEY.public_key()).line()
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    file.good("a checkpoint", note=note, key=key)
    file.good("signed by a key that is not known, too", note=checkpoint.sign(point, other, LOG_KEY), key=key)
    file.good("of the empty tree", note=checkpoint.sign(Checkpoint(ORIGIN, 0, tree.EMPTY_ROOT), LOG_KEY), key=key)
    file.bad("another size than was signed", "log_signature", note=note.replace("70000", "70001"), key=key)
    file.bad("signed by another key alone", "log_signature", note=checkpoint.sign(point, other), key=key)
    file.bad(
        "of another log", "log_origin", note=checkpoint.sign(Checkpoint("other.example/log", 1, bytes(32)), LOG_KEY),
        key=key,
    )  # fmt: skip
    for name, bent in {
        "a size with a zero before it": note.replace("70000", "070000"),
        "without the blank line": note.replace("\n\n", "\n"),
        "a hyphen for the dash": note.replace("\u2014", "-"),
        "without the last newline": note[:-1],
        "a root of another length": note.replace("AAECAwQF", ""),
        "nothing": "",
    }.items():
        file.bad(name, "log_malformed", note=bent, key=key)
    file.bad("a key of another algorithm", "log_malformed", note=note, key=key.replace("+AQ", "+AA"))
    file.bad("a key whose identifier is not its own", "log_malformed", note=note, key=key.replace("+", "+0", 1))
    file.write()


def texts(proof: list[bytes]) -> list[str]:
    """Give hashes as vectors have them."""
    return [base64url.encode(sibling) for sibling in proof]


def make_inclusion() -> None:
    file = File("inclusion", "An audit path from a leaf to the root of a tree (RFC 9162 section 2.1.3.2).")
    for index, size in [(0, 1), (0, 2), (1, 2), (2, 3), (3, 7), (6, 7), (0, 8), (255, 256), (256, 257), (299, 300)]:
        held = leaves(size)
        proof = texts(tree.inclusion(reading(held), index, size))
        given: dict[str, Any] = {
            "leaf_hex": held[index].hex(), "index": index, "size": size, "root": base64url.encode(mth(held)),
            "proof": proof,
        }  # fmt: skip
        file.good(f"leaf {index} of {size}", **given)
    file.bad("another leaf", "log_inclusion", **{**given, "leaf_hex": b"x".hex()})
    file.bad("another place", "log_inclusion", **{**given, "index": 298})
    file.bad("a place beyond the tree", "log_inclusion", **{**given, "index": 300})
    file.bad("another root", "log_inclusion", **{**given, "root": base64url.encode(bytes(32))})
    file.bad("a path that is too short", "log_inclusion", **{**given, "proof": proof[:-1]})
    file.bad("a path that is too long", "log_inclusion", **{**given, "proof": [*proof, proof[0]]})
    file.bad("a path in another order", "log_inclusion", **{**given, "proof": proof[::-1]})
    file.write()


def make_consistency() -> None:
    file = File("consistency", "A proof that a tree begins with an older one (RFC 9162 section 2.1.4.2).")
    for old, new in [(0, 5), (1, 2), (3, 7), (4, 7), (6, 7), (7, 7), (8, 9), (256, 300), (257, 300)]:
        given = _consistency(old, new)
        file.good(f"{old} of {new}", **given)
    proof = given["proof"]
    file.bad("another old root", "log_consistency", **{**given, "old_root": base64url.encode(bytes(32))})
    file.bad("another new root", "log_consistency", **{**given, "new_root": base64url.encode(bytes(32))})
    file.bad("a proof that is too short", "log_consistency", **{**given, "proof": proof[:-1]})
    file.bad("a proof that is too long", "log_consistency", **{**given, "proof": [*proof, proof[0]]})
    file.bad("no proof", "log_consistency", **{**given, "proof": []})
    file.bad("a tree that became smaller", "log_consistency", **{**given, "old": 301})
    file.bad("two roots of one size", "log_consistency", **{**_consistency(7, 7), "old_root": given["old_root"]})
    file.write()


def _consistency(old: int, new: int) -> dict[str, Any]:
    held = leaves(new)
    return {
        "old": old,
        "old_root": base64url.encode(mth(held[:old]) if old else tree.EMPTY_ROOT),
        "new": new,
        "new_root": base64url.encode(mth(held)),
        "proof": texts(tree.consistency(reading(held), old, new)),
    }


def make_evidence() -> None:
    file = File("evidence", "Evidence of one act, and what each of the nine steps makes of it (section 9.3).")
    executed, denied = members(Story().executed()), members(Story().denied())
    file.good("executed", evidence=executed)
    file.good("denied", evidence=denied)
    for name in (
        "offer of another act", "shown less than there is", "statement over another act", "passkey not in the roster",
        "token of another approval", "receipt for another act", "entry changed afterwards", "never shown",
    ):  # fmt: skip
        file.good(name, evidence=members(BENT[name][0](Story())))
    file.good("nothing of the log", evidence={**executed, "entries": []})
    file.bad("a member too many", "evidence_malformed", evidence={**executed, "more": 1})
    file.bad("another version", "evidence_malformed", evidence={**executed, "oneact_evidence": "2"})
    file.bad("a line of three texts", "evidence_malformed", evidence=changed(executed, ("lines", 0), ["a", "b", "c"]))
    file.write()


if __name__ == "__main__":
    for make in (make_entry, make_checkpoint, make_inclusion, make_consistency, make_evidence):
        make()
