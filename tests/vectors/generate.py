"""Makes the vectors, from keys and times that are fixed: `python -m tests.vectors.generate`.

Signatures differ each time, so this is run by hand, when the protocol changes; the tests run what stands in the files.
`python -m tests.vectors.generate action display` makes those files alone.
"""

from __future__ import annotations

import copy
import hmac
import json
import sys
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from oneact.protocol import (
    act,
    action,
    approval,
    base64url,
    canonical,
    client_assertion,
    display,
    ended,
    offer,
    receipt,
    roster,
    terms,
    ticket,
)
from oneact.protocol.jwk import SigningKey
from oneact.protocol.roster import Roster
from oneact.testing import SoftwarePasskey
from tests.spec.literal import ROOT, key
from tests.vectors.run import outcome

FOLDER = ROOT / "spec" / "vectors"
AIR, APPROVE = "https://air.example", "https://approve.example"
T = 1_772_000_000
SERVICE, SERVER, AGENT, STRANGER = key(2001), key(2002), key(2003), key(2009)
EDWARDS = SigningKey(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
TXN_KEY = bytes(range(32))
STRING = {"type": "string"}
DOCUMENT: dict[str, Any] = {
    "action": "book_flight",
    "schema": {
        "type": "object", "additionalProperties": False, "required": ["from", "to"],
        "properties": {"from": STRING, "to": STRING, "bags": {"type": "integer"}},
    },
    "method": "POST",
    "path": "/bookings",
    "sources": {"from": "body", "to": "body", "bags": "query"},
    "intent": "Book a flight",
    "summary": "Fly {/parameters/from} to {/parameters/to}",
    "display": [
        {"pointer": "/terms/price", "label": "Price", "format": "money"},
        {"pointer": "/parameters/from", "label": "From", "format": "text"},
    ],
    "terms": {"type": "object", "additionalProperties": False, "properties": {"price": {
        "type": "object", "additionalProperties": False, "properties": {"amount": STRING, "currency": STRING},
    }}},
    "reversible": False,
    "rule": {"approvers": 1, "requester_excluded": False},
}  # fmt: skip
PLAIN: dict[str, Any] = {**DOCUMENT, "action": "check_in", "terms": None, "display": []}
PARAMETERS: dict[str, Any] = {"from": "SFO", "to": "NYC"}
STATED: dict[str, Any] = {"price": {"amount": "312.00", "currency": "USD"}}
DROP = object()
EVERY_PART = r"^\t\n\r.\d\w\s\D\W\S\.\-\/[-a-c\]x-][^\s^$.*+?(){}|-]()(?:a|)b*c+d?e{0}f{1,}g{1,9999}$"
NOT_PORTABLE = (
    ")", "a(", "[a", "[]", "[^]", "]", "{", "}", "a{", "a{,2}", "a{2,1}", "a{10000}", "a{1 }", "*", "+a", "(?", "|*", "a**", "a*?", "a*+", "a{1}{2}", "^*", "$+",
    "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?P<x>a)", "(?<x>a)", "(?i)a", "(?i:a)", "(?>a)", "(?#a)", r"(a)\1", r"\b", r"\B", r"\A", r"\Z", r"\z", r"\f", r"\v", r"\0",
    r"\x41", r"\u0041", r"\p{L}", r"\cA", r"\ ", "\\\u00e9", "\\", "[[:alpha:]]", "[a[b]", "[a&&b]", "[a||b]", "[a~~b]", "[z-a]", "[a-b-c]", "[a--b]", r"[\d-z]", r"[a-\d]", r"[\b]",
)  # fmt: skip


def passkey(number: int, **changes: Any) -> SoftwarePasskey:
    """Give a fixed passkey."""
    given: dict[str, Any] = {"credential_id": f"passkey {number}".encode(), "key": key(number).key, **changes}
    return passkey_at("approve.example", **given)


def passkey_at(rp_id: str, alg: str = "ES256", **changes: Any) -> SoftwarePasskey:
    """Give a passkey for an RP ID, at the approval server's origin."""
    return SoftwarePasskey(rp_id, APPROVE, alg, allow_foreign_origin_for_vectors=True, **changes)


ADA, BOB, MALLORY = passkey(3001), passkey(3002), passkey(3009)


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Give a copy with one member replaced, added or (DROP) left out."""
    copied = copy.deepcopy(value)
    inner = copied
    for step in path[:-1]:
        inner = inner[step]
    if new is DROP:
        del inner[path[-1]]
    else:
        inner[path[-1]] = new
    return copied


def jwks(*found: SigningKey) -> dict[str, Any]:
    """Give a JWK Set."""
    return {"keys": [item.public.public_jwk() for item in found]}


def signed(claims: Any, typ: str, signer: SigningKey, /, **header: Any) -> str:
    """Sign anything under any header."""
    head: dict[str, Any] = {"alg": signer.alg, "typ": typ, "kid": signer.public.kid, **header}
    head = {name: value for name, value in head.items() if value is not DROP}
    text = base64url.encode(canonical.encode(head)) + "." + base64url.encode(canonical.encode(claims))
    return text + "." + base64url.encode(signer.sign(text.encode()))


def hs256(claims: Any, typ: str, key_: SigningKey, /, **header: Any) -> str:
    """Sign as an attacker would who knows the public key: by HMAC under its PEM, a text that anyone can make."""
    head = {"alg": "HS256", "typ": typ, "kid": key_.public.kid, **header}
    head = {name: value for name, value in head.items() if value is not DROP}
    text = base64url.encode(canonical.encode(head)) + "." + base64url.encode(canonical.encode(claims))
    return text + "." + base64url.encode(hmac.digest(pem(key_), text.encode(), "sha256"))


def pem(key_: SigningKey) -> bytes:
    """Give the public key as PEM: the SubjectPublicKeyInfo, with a line feed at the end."""
    return key_.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class File:
    """One file of vectors; each is run as it is added, and has to come out as named."""

    def __init__(self, kind: str, about: str) -> None:
        self.kind, self.about = kind, about
        self.vectors: list[dict[str, Any]] = []

    def good(self, name: str, **inputs: Any) -> None:
        """Add what is accepted."""
        found = outcome(self.kind, {"name": name, **inputs})
        assert "expect" in found, (self.kind, name, found)
        self.vectors.append({"name": name, **copy.deepcopy(inputs), **found})

    def bad(self, name: str, reason: str, **inputs: Any) -> None:
        """Add what is refused, for this reason."""
        found = outcome(self.kind, {"name": name, **inputs})
        assert found == {"reason": reason}, (self.kind, name, found)
        self.vectors.append({"name": name, **copy.deepcopy(inputs), **found})

    def each(self, form: str, value: dict[str, Any], reason: str, **inputs: Any) -> None:
        """Add a vector for each member left out and of another type, and for one too many."""
        for member in value:
            self.bad(f"{member} is missing", reason, **{**inputs, form: changed(value, (member,), DROP)})
        self.bad("a member too many", reason, **{**inputs, form: {**value, "more": 1}})

    def write(self) -> None:
        """Write the file."""
        document = {"about": self.about, "vectors": self.vectors}
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{self.kind}.json").write_text(json.dumps(document, indent=1, ensure_ascii=True) + "\n")


def make_canonical() -> None:
    file = File("canonical", "JSON from outside (octets in hex) to its canonical form (section 2).")
    for name, text in {
        "members are sorted": '{"b":1,"a":[true,null,"x"]}',
        "white space goes": ' { "a" : 1 } ',
        "names are sorted by UTF-16": '{"\\ue000":1,"\\ud83d\\ude00":2}',
        "escapes are the shortest": '{"a":"\\u0041\\/\\n\\u001f\\u007f\\u00e9"}',
        "the largest integer": "9007199254740991",
        "the smallest integer": "-9007199254740991",
        "sixteen levels": "[" * 16 + "]" * 16,
    }.items():
        file.good(name, json_hex=text.encode().hex())
    for name, (reason, octets) in {
        "a name twice": ("json_duplicate_key", b'{"a":1,"a":1}'),
        "a name twice by escape": ("json_duplicate_key", b'{"a":1,"\\u0061":2}'),
        "a fraction": ("json_number", b"1.0"),
        "an exponent": ("json_number", b"1e3"),
        "negative zero": ("json_number", b"-0"),
        "an integer too large": ("json_number", b"9007199254740992"),
        "a huge integer": ("json_number", b"1" * 400),
        "not a number": ("json_number", b"NaN"),
        "infinity": ("json_number", b"[Infinity]"),
        "a lone surrogate": ("json_surrogate", b'"\\ud800"'),
        "a lone surrogate in a name": ("json_surrogate", b'{"\\udfff":1}'),
        "a noncharacter": ("json_surrogate", b'"\\uffff"'),
        "seventeen levels": ("json_too_deep", b"[" * 17 + b"]" * 17),
        "a hundred thousand levels": ("json_too_deep", b"[" * 100_000),
        "not UTF-8": ("json_malformed", b'"\xff"'),
        "a byte order mark": ("json_malformed", b"\xef\xbb\xbf1"),
        "a control character": ("json_malformed", b'"\x01"'),
        "two values": ("json_malformed", b"1 2"),
        "nothing": ("json_malformed", b""),
        "a comma too many": ("json_malformed", b"[1,]"),
    }.items():
        file.bad(name, reason, json_hex=octets.hex())
    file.vectors = [item for item in file.vectors if len(item["json_hex"]) < 10_000]
    file.write()


def doubling(times: int) -> dict[str, Any]:
    """Give definitions of which each refers twice to the next."""
    twice = {f"d{number}": {"anyOf": [{"$ref": f"#/$defs/d{number + 1}"}] * 2} for number in range(times)}
    return {**twice, f"d{times}": {"type": "string"}}


def chain(length: int) -> dict[str, Any]:
    """Give definitions of which each refers to the next."""
    return {**{f"d{number}": {"$ref": f"#/$defs/d{number + 1}"} for number in range(length)}, f"d{length}": {}}


def many(**more: Any) -> dict[str, Any]:
    """Give a schema that is 4,096 with its references followed, and more."""
    twenty_two = {"anyOf": [{"$ref": "#/$defs/y"}] * 22}
    eighty_eight = {"anyOf": [{"$ref": "#/$defs/x"}] * 88}
    return {**an_object(a=eighty_eight, **more), "$defs": {"x": twenty_two, "y": {}}}


def make_action() -> None:
    file = File("action", "A published action and the digest that names it (section 4.1).")
    file.good("with terms", action=DOCUMENT)
    file.good("without terms", action=PLAIN)
    file.each("action", DOCUMENT, "action_invalid")
    closed = ("schema", "additionalProperties")
    for name, path, new in [
        ("a name in capitals", ("action",), "Book"),
        ("a method that changes nothing", ("method",), "GET"),
        ("a path that is relative", ("path",), "bookings"),
        ("an open schema", closed, DROP),
        ("a schema of another type", ("schema",), {"type": "string"}),
        ("a number in the schema", ("schema", "properties", "bags"), {"type": "number"}),
        ("a keyword that is not known", ("schema", "properties", "bags"), {"type": "integer", "contains": 1}),
        (
            "a pattern over 1,024 characters",
            ("schema", "properties", "from"),
            {"type": "string", "pattern": "x" * 1025},
        ),
        ("a reference elsewhere", ("schema", "properties", "bags"), {"$ref": "https://evil.example/s"}),
        ("a source that is not known", ("sources", "bags"), "cookie"),
        ("a source too few", ("sources", "bags"), DROP),
        ("a source too many", ("sources", "more"), "body"),
        ("no intent", ("intent",), ""),
        ("a brace in the summary", ("summary",), "Fly {from"),
        ("a summary that points elsewhere", ("summary",), "Fly {/price}"),
        ("a format that is not known", ("display", 0, "format"), "html"),
        ("a pointer elsewhere", ("display", 0, "pointer"), "/price"),
        ("a pointer twice", ("display", 0, "pointer"), "/parameters/from"),
        ("reversible is a text", ("reversible",), "no"),
        ("four approvers", ("rule", "approvers"), 4),
        ("no approver", ("rule", "approvers"), 0),
        ("a rule with more", ("rule", "more"), 1),
    ]:
        file.bad(name, "action_invalid", action=changed(DOCUMENT, path, new))
    file.bad("display of terms without terms", "action_invalid", action={**DOCUMENT, "terms": None})
    summary = {"summary": "For {/terms/price/amount}"}
    file.good("a summary of terms", action={**DOCUMENT, **summary})
    file.bad("a summary of terms without terms", "action_invalid", action={**PLAIN, **summary})
    bags = ("schema", "properties", "bags")
    for name, path, new in [
        ("an empty summary and no display", ("summary",), ""),
        ("a source kept for later", ("sources", "bags"), "file"),
        ("a list of types", bags, {"type": ["integer", "null"]}),
        ("no type at all", bags, {}),
        ("a pattern of the portable part", bags, {"type": "string", "pattern": r"^(?:[^a-z\d_-]|\s\.){1,3}$"}),
        ("a format that nobody knows", bags, {"type": "string", "format": "weekday"}),
        ("every part of a pattern", bags, {"type": "string", "pattern": EVERY_PART}),
        ("labels that hold anything", ("display", 0, "label"), "\u00abPrice\u00bb\\\u202e"),
        ("a pointer with escapes", ("display", 1, "pointer"), "/parameters/a~0b~1c/0"),
    ]:  # fmt: skip
        file.good(name, action=changed(DOCUMENT, path, new))
    for name, path, new in [
        ("a schema that is a boolean", bags, True),
        ("a type that is a list for the outermost schema", ("schema", "type"), ["object"]),
        ("no types in the list", bags, {"type": []}),
        ("a bound that is a text", bags, {"type": "integer", "minimum": "1"}),
        ("an enumeration of nothing", bags, {"enum": []}),
        ("a choice of nothing", bags, {"anyOf": []}),
        ("not", bags, {"not": {"type": "string"}}),
        ("an open object inside", bags, {"anyOf": [{"properties": {}}]}),
        ("an object in a list of types that is open", bags, {"type": ["object", "null"]}),
        ("a reference to nothing", bags, {"$ref": "#/$defs/x"}),
        ("a reference into a schema", bags, {"$ref": "#/properties/from"}),
        ("a pattern that is none", bags, {"type": "string", "pattern": "("}),
        ("a pattern that is not portable", bags, {"type": "string", "pattern": "(?=a)"}),
        ("a definition that leads to itself", ("schema", "$defs"), {"x": {"items": {"$ref": "#/$defs/x"}}}),
        ("a placeholder with an empty name", ("summary",), "Fly {/parameters//x}"),
        ("a pointer with a stray tilde", ("display", 1, "pointer"), "/parameters/a~2"),
        ("a label that is empty", ("display", 0, "label"), ""),
        ("an intent of eighty-one characters", ("intent",), "x" * 81),
        ("requester_excluded is a number", ("rule", "requester_excluded"), 1),
        ("over 32 KiB", ("schema", "description"), "x" * 32_768),
    ]:
        file.bad(name, "action_invalid", action=changed(DOCUMENT, path, new))
    file.write()


def an_object(required: list[str] | None = None, /, **properties: Any) -> dict[str, Any]:
    """Give a closed schema."""
    return {
        "type": "object", "additionalProperties": False, "properties": properties,
        **({} if required is None else {"required": required}),
    }  # fmt: skip


MATCHING = [
    ("", ""), ("(?:)", "x"), ("^$", ""), ("a|", "b"), ("()", ""), ("^(a|b)+$", "abba"), ("^(?:ab){2}$", "abab"), ("^a{2,}$", "aaa"), ("^a{1,2}$", "aa"), ("^a?$", ""),
    ("^(a|ab)(c|bcd)$", "abcd"), ("a$|^b", "bc"), ("^[-a]$", "-"), ("^[a-]$", "-"), ("^[^^]$", "a"), (r"^[\]\-]$", "]"), ("^[\u00e0-\u00ff]$", "\u00e9"), ("^[^a]$", "\n"),
    (r"^\D\W\S$", "\u0664\u00e9\u00a0"), (r"^\s{6}$", "\t\n\u000b\f\r "), ("^(){9999}$", ""), (r"^\$\{\}$", "${}"), ("(^a|b$)c*", "xb"), ("^(a*)*b$", "aab"),
]  # fmt: skip
NOT_MATCHING = [
    ("^$", "\n"), ("a^", "a"), ("$a", "a"), ("^(a|b)+$", "abc"), ("^(?:ab){2}$", "ab"), ("^a{2,}$", "a"), ("^a{1,2}$", "aaa"), ("^a{0}$", "a"), ("A", "a"), ("^.$", "e\u0301"),
    ("^[^a]$", ""), (r"^[\d\D]$", ""), (r"[^\d\D]", "a"), (r"^\w$", "\u017f"), ("^a$", "b\na\nb"), ("^[a-c]$", "d"), ("^[.]$", "a"),
]  # fmt: skip


def make_parameters() -> None:
    file = File("parameters", "A schema, and what was given, to the parameters with defaults filled in (section 4.1).")
    inner = an_object(a=STRING, b={"type": "integer", "default": 2})
    for name, schema, given_ in [
        ("nothing to fill in", an_object(["a"], a=STRING), {"a": "x"}),
        ("a default", an_object(a={"default": {"x": 1}}), {}),
        ("a default that is given", an_object(a={"default": 1}), {"a": None}),
        ("a default inside", an_object(x=inner), {"x": {}}),
        ("a default inside what is not given", an_object(x=inner), {}),
        ("a default that is not filled in itself", an_object(x={**inner, "default": {"a": "x"}}), {}),
        ("a default in each item", an_object(x={"type": "array", "items": inner}), {"x": [{}, {"b": 3}]}),
        ("a default behind a reference", {**an_object(x={"$ref": "#/$defs/y"}), "$defs": {"y": inner}}, {"x": {}}),
        ("a default of a reference's target", {**an_object(x={"$ref": "#/$defs/y"}), "$defs": {"y": {"default": 1}}}, {}),
        ("a default beside a reference", {**an_object(x={"$ref": "#/$defs/y", "default": 1}), "$defs": {"y": {}}}, {}),
        ("no default under a choice", an_object(x={"anyOf": [inner, {"type": "null"}]}), {"x": {}}),
        ("a list of types", an_object(a={"type": ["integer", "null"]}), {"a": None}),
        ("no type", an_object(a={}), {"a": {"any": ["thing"]}}),
        ("a format checks nothing", an_object(a={"type": "string", "format": "date"}), {"a": "never"}),
        ("one of those listed, by JCS", an_object(a={"enum": [{"x": 1, "y": 2}]}), {"a": {"y": 2, "x": 1}}),
        ("lengths are of code points", an_object(a={"type": "string", "maxLength": 1}), {"a": "\U0001f600"}),
        ("a bound is nothing to a text", an_object(a={"minimum": 5, "maxLength": 1}), {"a": 6}),
        ("a pattern anywhere in it", an_object(a={"pattern": "[0-9]"}), {"a": "x1y"}),
        ("a dot is one character", an_object(a={"pattern": "^.$"}), {"a": "\U0001f600"}),
        ("a dollar in a class", an_object(a={"pattern": "^[$]$"}), {"a": "$"}),
        *[(f"a pattern that matches: {text}", an_object(a={"pattern": text}), {"a": value}) for text, value in MATCHING],
        ("repetitions in repetitions", an_object(a={"pattern": "^((a+)+|(a|a)*)*$"}), {"a": "a" * 500}),
        ("groups sixteen deep", an_object(a={"pattern": "(" * 16 + "x" + ")" * 16}), {"a": "x"}),
        ("a pattern of 1,024 characters", an_object(a={"pattern": "x|" * 512}), {"a": "y"}),
        ("a definition of several uses", {**an_object(a={"$ref": "#/$defs/d0"}), "$defs": doubling(8)}, {"a": "x"}),
        ("sixty-four levels", {**an_object(a={"$ref": "#/$defs/d0"}), "$defs": chain(62)}, {"a": "x"}),
        ("4,096 schemas", many(), {"a": "x"}),
        ("a multiple", an_object(a={"multipleOf": 3}), {"a": -6}),
        ("items that differ in kind", an_object(a={"type": "array", "uniqueItems": True}), {"a": [1, True, "1"]}),
        ("exactly one of two", an_object(a={"oneOf": [{"type": "string"}, {"minLength": 3, "type": "string"}]}), {"a": "x"}),
    ]:  # fmt: skip
        file.good(name, schema=schema, given=given_)
    for name, schema, given_ in [
        ("a missing name", an_object(["a"], a=STRING), {}),
        ("a truth is no integer", an_object(a={"type": "integer"}), {"a": True}),
        ("another type", an_object(a={"type": ["integer", "null"]}), {"a": "1"}),
        ("a default that does not fit", an_object(a={"type": "string", "default": 1}), {}),
        ("a truth that is not the integer", an_object(a={"const": 1}), {"a": True}),
        ("too long in code points", an_object(a={"maxLength": 1}), {"a": "e\u0301"}),
        ("a dollar is the very end", an_object(a={"pattern": "^a$"}), {"a": "a\n"}),
        ("a digit is ASCII", an_object(a={"pattern": r"^\d$"}), {"a": "\u0664"}),
        ("a letter is ASCII", an_object(a={"pattern": r"^\w$"}), {"a": "\u00e9"}),
        ("white space is ASCII", an_object(a={"pattern": r"^\s$"}), {"a": "\u00a0"}),
        ("a dot is no line feed", an_object(a={"pattern": "^.$"}), {"a": "\n"}),
        *[(f"a pattern that does not: {text}", an_object(a={"pattern": text}), {"a": value}) for text, value in NOT_MATCHING],
        ("repetitions in repetitions, and what fits none", an_object(a={"pattern": "^((a+)+|(a|a)*)*$"}), {"a": "a" * 500 + "b"}),
        ("no multiple", an_object(a={"multipleOf": 3}), {"a": 4}),
        ("not below a bound", an_object(a={"exclusiveMaximum": 3}), {"a": 3}),
        ("an item twice, by JCS", an_object(a={"uniqueItems": True}), {"a": [{"x": 1, "y": 2}, {"y": 2, "x": 1}]}),
        ("two of two where one may", an_object(a={"oneOf": [{"type": "string"}, {"minLength": 1}]}), {"a": "x"}),
        ("what stands beside a reference", {**an_object(x={"$ref": "#/$defs/y", "minimum": 2}), "$defs": {"y": {"type": "integer"}}}, {"x": 1}),
        ("a name too many under a choice", an_object(x={"anyOf": [inner]}), {"x": {"more": 1}}),
    ]:  # fmt: skip
        file.bad(name, "parameters_invalid", schema=schema, given=given_)
    for text in NOT_PORTABLE:
        schema = an_object(a={"pattern": text})
        file.bad(f"a pattern that is not portable: {text}", "action_invalid", schema=schema, given={"a": "a"})
    to_x = {"$ref": "#/$defs/x"}
    for name, schema in [
        ("groups seventeen deep", an_object(a={"pattern": "(" * 17 + "x" + ")" * 17})),
        ("a pattern of 1,025 characters", an_object(a={"pattern": "x|" * 512 + "x"})),
        ("a type twice", an_object(a={"type": ["string", "string"]})),
        ("sixty-five levels", {**an_object(a={"$ref": "#/$defs/d0"}), "$defs": chain(63)}),
        ("4,097 schemas", many(b={})),
        ("definitions that double forty times", {**an_object(a={"$ref": "#/$defs/d0"}), "$defs": doubling(40)}),
        ("definitions that double forty times, for nothing", {**an_object(a={}), "$defs": doubling(40)}),
        ("a definition that is itself", {**an_object(a=to_x), "$defs": {"x": to_x}}),
        ("a definition that leads to itself twice", {**an_object(a=to_x), "$defs": {"x": {"anyOf": [to_x, to_x]}}}),
        ("definitions that lead to each other", {**an_object(a=to_x), "$defs": {"x": {"items": {"$ref": "#/$defs/y"}}, "y": an_object(b=to_x)}}),
        ("a definition that leads to itself, for nothing", {**an_object(a={}), "$defs": {"x": {"items": to_x}}}),
    ]:  # fmt: skip
        file.bad(name, "action_invalid", schema=schema, given={"a": "x"})
    file.bad("a name too many", "parameter_unknown", schema=an_object(a=STRING), given={"a": "x", "b": 1})
    file.bad("a name too many inside", "parameter_unknown", schema=an_object(x=inner), given={"x": {"more": 1}})
    file.write()


def booked(document: dict[str, Any] = DOCUMENT, terms_: Any = STATED, **parameters: Any) -> act.Act:
    """Give an act."""
    described = action.parse(document)
    return act.build(AIR, described.name, described.digest, {**PARAMETERS, **parameters}, terms_)


def make_act() -> None:
    file = File("act", "An authorization_details array and the act's digests (section 4.2).")
    whole = booked().details()
    file.good("whole", details=whole)
    file.good("with the digest of its parameters", details=booked().details(inline=False))
    file.good("without terms", details=booked(PLAIN, None).details())
    file.good("texts that JCS escapes", details=changed(whole, (0, "actions"), ['a"\\b\n']))
    for member in whole[0]:  # type: ignore[union-attr]
        if member != "terms":
            file.bad(f"{member} is missing", "act_malformed", details=changed(whole, (0, member), DROP))
    for name, path, new in [
        ("a member too many", (0, "more"), 1),
        ("another type", (0, "type"), "payment"),
        ("two locations", (0, "locations"), [AIR, "https://b.example"]),
        ("two actions", (0, "actions"), ["a", "b"]),
        ("both parameters and their digest", (0, "parameters_digest"), "x" * 43),
        ("a digest that is none", (0, "action_digest"), "x"),
        ("empty terms", (0, "terms"), {}),
        ("terms over 1 KiB", (0, "terms"), {"a": "x" * 1024}),
        ("parameters that are a list", (0, "parameters"), []),
    ]:
        file.bad(name, "act_malformed", details=changed(whole, path, new))
    file.bad("two objects", "act_malformed", details=[*whole, *whole])
    file.bad("none", "act_malformed", details=[])
    file.bad("no array", "act_malformed", details=whole[0])
    file.write()


def make_display() -> None:
    file = File("display", "What is shown of an act, and the display digest (section 5).")
    kinds = ["text", "money", "date", "date-time", "time-zone", "email", "url", "account", "list", "secret"]
    for kind in kinds:
        document = changed(DOCUMENT, ("display",), [{"pointer": "/parameters/from", "label": "It", "format": kind}])
        for number, value in enumerate([
            "2024-02-30", "2024-13-01", "2024-03-01T10:00:00+02:00", "Europe/Berlin", "ada@example.org", "ada@b\u00fccher.example",
            "https://air.example/x?y#z", "https://user@evil.example/", "https://\u0430pple.example/", "http://a.example:99/", "a\\b\u00abc\u00bb\n\u202e\u200b",
            {"amount": "1.50", "currency": "EUR"}, {"amount": "1,50", "currency": "EUR"}, {"amount": "01", "currency": "EUR"}, ["a", 1, None, True],
            ["a", ["b"]], [], 7, True, None, "",
        ]):  # fmt: skip
            file.good(f"{kind} {number}", action=document, parameters={"from": value, "to": "x"}, terms=STATED)
    file.good("what the template leaves out", action=PLAIN, parameters={
        "from": "a", "to": {"z": [1, {"y~/": "b"}], "\U0001f600": {}, "\ue000": []},
    }, terms=None)  # fmt: skip
    indexed = changed(DOCUMENT, ("display", 1), {"pointer": "/parameters/from/00", "label": "It", "format": "secret"})
    file.good(
        "an index with a leading zero leads nowhere",
        action=indexed,
        parameters={"from": ["a"], "to": "x"},
        terms=STATED,
    )
    for name, value in {
        "two marks on a letter stay": "Vie\u0323\u0302t a\u0301\u0301\u0301 \u0e17\u0e35\u0e48",
        "a third mark in a row is escaped": "o" + "\u0301\u0302\u0303\u0304 x\u0301\u0302\u0303",
        "marks of different blocks are one row": "o\u0300\u036f\u0483\u0489\u1ab0\u1aff\u1dc0\u1dff\u20d0\u20ff\ufe20\ufe2f",
        "a mark that is escaped anyway counts": "o\u0301\u034f\u0301",
        "marks at the beginning": "\u0338\u0338\u0338",
    }.items():
        file.good(name, action=PLAIN, parameters={"from": value, "to": "x"}, terms=None)
    file.good("an absent value in the summary", action=PLAIN, parameters={"from": "a"}, terms=None)
    for name, entry, parameters in [
        ("an entry covers what is in its value", ("/parameters/to", "text"), {"to": {"b": [1], "a": "x"}}),
        ("an entry covers what its format cannot take", ("/parameters/to", "money"), {"to": {"amount": "1", "x": 1}}),
        ("an entry inside an object", ("/parameters/to/a", "text"), {"to": {"b": 1, "a": "x"}}),
        ("entries for all of an object", ("/parameters/to/a", "text"), {"to": {"a": {"b": 1}}}),
        ("an entry inside an array", ("/parameters/to/1", "text"), {"to": ["x", "y"]}),
        ("an index with a zero before it", ("/parameters/to/01", "text"), {"to": ["x", "y"]}),
        ("an index past the end", ("/parameters/to/2", "text"), {"to": ["x", "y"]}),
        ("an index that is a name", ("/parameters/to/0", "text"), {"to": {"0": "x"}}),
        ("a pointer with escapes", ("/parameters/a~01~1b", "text"), {"a~1/b": "x", "a/1/b": "y"}),
        ("no parameters at all", ("/parameters/to", "text"), {}),
    ]:  # fmt: skip
        lines = [{"pointer": entry[0], "label": "It", "format": entry[1]}]
        file.good(name, action={**PLAIN, "display": lines}, parameters=parameters, terms=None)
    for name, summary, shown in [
        ("a summary's own text is escaped", "\u00abFly\u00bb \\ \u202e now", {"to": "x"}),
        ("a placeholder for an object", "To {/parameters/to}", {"to": {"b": 1, "a": "\u00bb\\"}}),
        ("a placeholder for what a line shows", "From {/parameters/from}, {/parameters/from}", {"from": ["a", "b"]}),
        ("a placeholder inside what a line shows", "From {/parameters/from/1}", {"from": ["a", "b"]}),
    ]:  # fmt: skip
        lines = [{"pointer": "/parameters/from", "label": "\u00abIt\u00bb\\", "format": "list"}]
        described = {**PLAIN, "summary": summary, "display": lines, "intent": "\u00abBook\u00bb\\"}
        file.good(name, action=described, parameters=shown, terms=None)
    described = {**DOCUMENT, "summary": "For {/terms/price/amount}", "display": []}
    file.good("a placeholder for a term that is not", action=described, parameters={"to": "x"}, terms={"fee": "1"})
    for kind, values in {
        "text": ["\U0001f600\U000e0001\U000f0000\ue000\uf900\ufffd", "\x7f\xa0\xa1\u2060\u3164\u2800"],
        "money": [{"amount": "-0", "currency": "EUR"}, {"amount": "1.5", "currency": "EUR", "x": 1}, {"amount": "1", "currency": "eur"}],
        "date": ["2024-02-30 ", "\u0662024-02-03"],
        "date-time": ["2024-02-30T23:59:60.123456789-00:00", "2024-02-30T23:59:59.1234567890Z", "2024-02-30t10:00:00z", "2024-02-30T10:00:00"],
        "time-zone": ["Etc/GMT+5", "UTC", "a/b/c/d", "America/Argentina/Ushuaia", "/UTC", "Europe/"],
        "email": [
            "x" * 64 + "@b.example", "x" * 65 + "@b.example", "a@" + "x" * 253, "a@" + "x" * 254, "a@b@c", "a b@c", "\u00e9@b", "A+!#$%&'*./=?^_`{|}~-@B.Example",
            "a@\ufeffb.example", "a@b\u0085c", "a@b\u001cc", "a@b\u00a0c", "a@b\u180ec", "a@b\u200bc", "a@\x01.\x7f", "a@\x01\u00fc", "a@B\u00fccher.EXAMPLE", "a@\U0001f600.example",
            "a@b\u3002c", "a@.b.", "a@\u202e.b",
        ],
        "url": [
            "https://a.example:99999?x", "https://a.example:999999", "https://[::1]/", "HTTPS://a.example", "http://a.example", "https://a.example/\\x", "https://a.example/\u00e9", "https://\u00e9:8/#x",
            "https://a\\b", "https://a b", "ftp://a", "https://", "https://a.example/ ",
        ],
        "list": [["\n", "\u00ab"], [-1, False], [{}]],
        "secret": ["\u00e9\n"],
    }.items():  # fmt: skip
        document = changed(DOCUMENT, ("display",), [{"pointer": "/parameters/from", "label": "It", "format": kind}])
        for number, value in enumerate(values):
            file.good(f"more of {kind} {number}", action=document, parameters={"from": value, "to": "x"}, terms=STATED)
    empty = len(display.encode(display.render(action.parse(PLAIN), {"to": ""}, None)))
    ends = (display.MAX_OCTETS - empty) // 2
    shown = {**PLAIN, "summary": "Fly {/parameters/from} to {/parameters/to}"}
    odd = "" if (display.MAX_OCTETS - empty) % 2 == 0 else "x"
    file.good(
        "sixteen KiB", action={**shown, "intent": "Book a flight" + odd}, parameters={"to": "x" * ends}, terms=None
    )
    file.bad("an octet more", "too_large_to_show", action={**shown, "intent": "Book a flight" + odd + "x"}, parameters={"to": "x" * ends}, terms=None)  # fmt: skip
    file.good("two hundred lines", action=PLAIN, parameters={"to": ["x"] * 199}, terms=None)
    file.bad("too many lines", "too_large_to_show", action=PLAIN, parameters={"to": ["x"] * 200}, terms=None)
    file.bad("too many octets", "too_large_to_show", action=PLAIN, parameters={"to": "x" * 17_000}, terms=None)
    often = {**PLAIN, "summary": "{/parameters/to}" * 100}
    file.bad(
        "a summary that grows too large", "too_large_to_show", action=often, parameters={"to": "x" * 180}, terms=None
    )
    file.write()


def statement(item: str, **changes: Any) -> dict[str, Any]:
    """Give a statement's members."""
    members: dict[str, Any] = {
        "iss": APPROVE, "client_id": "c-1", "jkt": AGENT.public.thumbprint, "iat": T, "exp": T + 60,
        "nonce": base64url.encode(bytes(range(16))), "acts": [item], **changes,
    }  # fmt: skip
    return {name: value for name, value in members.items() if value is not DROP}


def make_item_and_statement() -> None:
    file = File("item", "The item hash by which a statement names one act (section 4.4).")
    base = {"aud": AIR, "sub": "p-1", "txn": "t-1", "act": "A" * 43, "display": "D" * 43}
    file.good("an item", **base)
    for member, value in base.items():
        file.good(f"another {member}", **{**base, member: value + "x"})
    file.good("texts that JCS escapes", **{**base, "sub": 'p"\\\n\u00e9'})
    file.write()
    file = File("statement", "A statement and the challenge that a passkey signs (section 4.4).")
    whole = statement("I" * 43)
    file.good("one act", statement=whole)
    file.good("twenty acts", statement=statement("", acts=[f"{n:043d}" for n in range(20)]))
    file.each("statement", whole, "statement_malformed")
    for name, change in {
        "no act": {"acts": []},
        "twenty-one acts": {"acts": [f"{n:043d}" for n in range(21)]},
        "an act twice": {"acts": ["I" * 43, "I" * 43]},
        "an act of another length": {"acts": ["I" * 42]},
        "a nonce of another length": {"nonce": "x"},
        "a nonce of other characters": {"nonce": "=" * 22},
        "a nonce beyond ASCII": {"nonce": "\u00e9" * 22},
        "a nonce with bits left over": {"nonce": "I" * 22},
        "an act of other characters": {"acts": ["I" * 42 + "+"]},
        "a thumbprint that is none": {"jkt": "x"},
        "a time that is a text": {"iat": str(T)},
        "a time before 1970": {"exp": -1},
        "a boolean for a time": {"iat": True},
        "an empty client": {"client_id": ""},
    }.items():
        file.bad(name, "statement_malformed", statement={**whole, **change})
    file.write()


def members(found: Roster, by: SoftwarePasskey) -> dict[str, Any]:
    """Give a roster with the assertion that vouches for it."""
    return roster.SignedRoster(found, by.get(found.challenge())).members()


def the_roster(*passkeys: SoftwarePasskey, **changes: Any) -> Roster:
    """Give a roster."""
    given: dict[str, Any] = {
        "iss": APPROVE, "aud": AIR, "sub": "p-1", "rp_id": "approve.example", "origins": (APPROVE,), "seq": 1,
        "credentials": tuple(item.credential for item in passkeys or (ADA,)), **changes,
    }  # fmt: skip
    return Roster(**given)


def make_roster() -> None:
    file = File("roster", "A roster: the first one, or one that follows what is pinned (section 4.5).")
    names = {"issuer": APPROVE, "audience": AIR, "subject": "p-1"}
    first = members(the_roster(), ADA)
    file.good("the first", signed=first, pinned=None, **names)
    eddsa = passkey_at("approve.example", "EdDSA", credential_id=b"ed", key=EDWARDS.key)
    file.good("the first, by EdDSA", signed=members(the_roster(eddsa), eddsa), pinned=None, **names)
    for member, reason in {
        "issuer": "roster_issuer",
        "audience": "roster_audience",
        "subject": "roster_subject",
    }.items():
        file.bad(f"another {member}", reason, signed=first, pinned=None, **{**names, member: "x"})
    file.bad("vouched for by a stranger", "roster_unpinned", signed=members(the_roster(), BOB), pinned=None, **names)
    thief = passkey(3009, credential_id=ADA.credential_id)
    file.bad("a stranger under its name", "roster_signature", signed=members(the_roster(), thief), pinned=None, **names)
    for member in first["roster"]:
        broken = changed(first, ("roster", member), DROP)
        file.bad(f"{member} is missing", "roster_malformed", signed=broken, pinned=None, **names)
    for name, path, new in [
        ("a member too many", ("roster", "more"), 1),
        ("no origin", ("roster", "origins"), []),
        ("a key of another algorithm", ("roster", "credentials", 0, "alg"), "RS256"),
        ("a key that is none", ("roster", "credentials", 0, "public_key"), "AAAA"),
        ("no credential", ("roster", "credentials"), []),
        ("a credential twice", ("roster", "credentials"), first["roster"]["credentials"] * 2),
        ("credentials that are no list", ("roster", "credentials"), {}),
        ("no assertion", ("webauthn",), DROP),
    ]:
        file.bad(name, "roster_malformed", signed=changed(first, path, new), pinned=None, **names)
    pinned = the_roster().members()
    later = the_roster(ADA, BOB, seq=2)
    file.good("a passkey more", signed=members(later, ADA), pinned=pinned, **names)
    file.bad("vouched for by the new passkey", "roster_unpinned", signed=members(later, BOB), pinned=pinned, **names)
    for name, reason, change in [
        ("the same seq", "roster_seq", {"seq": 1}),
        ("a lower seq", "roster_seq", {"seq": 0}),
        ("another issuer", "roster_issuer", {"iss": "https://evil.example"}),
        ("another service", "roster_audience", {"aud": "https://evil.example"}),
        ("another person", "roster_subject", {"sub": "p-2"}),
        ("another RP ID", "roster_rp_id", {"rp_id": "evil.example"}),
        ("another origin", "roster_rp_id", {"origins": ("https://evil.example",)}),
    ]:
        found = the_roster(ADA, BOB, **{"seq": 2, **change})
        file.bad(name + " later", reason, signed=members(found, ADA), pinned=pinned, **names)
    file.write()


def make_removal() -> None:
    file = File("removal", "A roster by which the approval server alone removes passkeys (section 4.5).")
    base: dict[str, Any] = {"jwks": jwks(SERVER), "pinned": the_roster(ADA, BOB).members(), "now": T}

    def by_server(*left: SoftwarePasskey, **changes: Any) -> str:
        return roster.sign_removal(the_roster(*left, **{"seq": 2, **changes}), SERVER)

    less = the_roster(ADA, seq=2)
    file.good("one less", removal=by_server(ADA), **base)
    file.good("the second at which it is made as seq", removal=by_server(ADA, seq=T), **base)
    file.good("the largest seq", removal=by_server(ADA, seq=T + 300), **base)
    file.bad("a seq too far ahead of the clock", "roster_seq", removal=by_server(ADA, seq=T + 301), **base)
    file.bad("the last seq there is", "roster_seq", removal=by_server(ADA, seq=2**53 - 1), **base)
    ahead = {**base, "pinned": the_roster(ADA, BOB, seq=T + 1000).members()}
    file.good("the largest seq after one ahead of the clock", removal=by_server(ADA, seq=T + 1300), **ahead)
    file.bad("a seq too far ahead of the one pinned", "roster_seq", removal=by_server(ADA, seq=T + 1301), **ahead)
    file.bad("none left", "roster_malformed", removal=by_server(credentials=()), **base)
    for name, reason, left, seq in [
        ("one more", "roster_not_subset", (ADA, BOB, MALLORY), 2),
        ("as many", "roster_not_subset", (ADA, BOB), 2),
        ("another in its place", "roster_not_subset", (ADA, MALLORY), 2),
        ("the same seq", "roster_seq", (ADA,), 1),
    ]:
        file.bad(name, reason, removal=by_server(*left, seq=seq), **base)
    for name, reason, change in [
        ("another issuer", "roster_issuer", {"iss": "https://other.example"}),
        ("another service", "roster_audience", {"aud": "https://b.example"}),
        ("another person", "roster_subject", {"sub": "p-2"}),
        ("another RP ID", "roster_rp_id", {"rp_id": "other.example"}),
        ("another origin", "roster_rp_id", {"origins": ("https://other.example",)}),
        ("an origin more", "roster_rp_id", {"origins": (APPROVE, "https://other.example")}),
    ]:
        file.bad(name, reason, removal=by_server(ADA, **change), **base)
    file.bad("by another key", "roster_signature", removal=roster.sign_removal(less, STRANGER), **base)
    forged = signed(less.members(), roster.TYP, STRANGER, kid=SERVER.public.kid)
    file.bad("by another key under its kid", "roster_signature", removal=forged, **base)
    file.bad("of another type", "roster_malformed", removal=signed(less.members(), "JWT", SERVER), **base)
    file.write()


def make_txn() -> None:
    file = File("txn", "The transaction identifier, which only the service's key makes (section 4.3).")
    digest, jkt = "A" * 43, "J" * 43
    plain = terms.mint(TXN_KEY, bytes(16), T + 600, APPROVE, digest)
    named = terms.mint(TXN_KEY, bytes(16), T + 600, APPROVE, digest, ("p-1", jkt))
    base: dict[str, Any] = {
        "keys_hex": [TXN_KEY.hex()], "txn": plain, "issuer": APPROVE, "act_digest": digest, "sub": "p-1", "jkt": jkt,
        "approved_at": T,
    }  # fmt: skip
    file.good("for anyone", **base)
    file.good("for one holder", **{**base, "txn": named})
    file.good("by the key before", **{**base, "keys_hex": ["00" * 32, TXN_KEY.hex()]})
    file.good("another holder, where none is named", **{**base, "sub": "p-2", "jkt": "K" * 43})
    file.good("the last second", **{**base, "approved_at": T + 599})
    file.bad("the second at which it expires", "txn_expired", **{**base, "approved_at": T + 600})
    file.bad("another key", "txn_foreign", **{**base, "keys_hex": ["00" * 32]})
    file.bad("another issuer", "txn_foreign", **{**base, "issuer": "https://evil.example"})
    file.bad("another act", "txn_foreign", **{**base, "act_digest": "B" * 43})
    file.bad("another person than named", "txn_foreign", **{**base, "txn": named, "sub": "p-2"})
    file.bad("another key than named", "txn_foreign", **{**base, "txn": named, "jkt": "K" * 43})
    octets = bytearray(base64url.decode(plain))
    for name, position, reason in [
        ("the holder flag set", 0, "txn_foreign"), ("another nonce", 1, "txn_foreign"), ("a later end", 20, "txn_foreign"), ("another MAC", 56, "txn_foreign"),
    ]:  # fmt: skip
        octets[position] ^= 1
        file.bad(name, reason, **{**base, "txn": base64url.encode(bytes(octets))})
        octets[position] ^= 1
    octets[0] = 2
    file.bad("an unknown form", "txn_malformed", **{**base, "txn": base64url.encode(bytes(octets))})
    file.bad("too short", "txn_malformed", **{**base, "txn": plain[:-4]})
    file.bad("not base64url", "txn_malformed", **{**base, "txn": plain[:-1] + "="})
    file.write()


def a_jws(
    file: File, form: str, claims: dict[str, Any], typ: str, key_: SigningKey, prefix: str, **inputs: Any
) -> None:
    """Add what goes wrong with any signed object."""
    text = signed(claims, typ, key_)
    head, payload, signature = text.split(".")

    def bad(name: str, reason: str, value: str) -> None:
        # The rows for signed objects in general call the key by its own.
        row = "key_malformed" if (prefix, reason) == ("jws", "key") else f"{prefix}_{reason}"
        file.bad(name, row, **{**inputs, form: value})

    bad("another typ", "typ", signed(claims, "JWT" if typ != "JWT" else "at+jwt", key_))
    bad("alg none", "alg", signed(claims, typ, key_, alg="none")[: -len(signature)])
    bad("HS256 with the public key", "alg", hs256(claims, typ, key_))
    bad("the other algorithm", "alg", signed(claims, typ, key_, alg="EdDSA"))
    bad("no kid", "key", signed(claims, typ, key_, kid=DROP))
    bad("an unknown kid", "key", signed(claims, typ, STRANGER))
    bad("another key under its kid", "signature", signed(claims, typ, STRANGER, kid=key_.public.kid))
    bad(
        "other claims under its signature",
        "signature",
        f"{head}.{base64url.encode(canonical.encode({**claims, 'iat': T + 1}))}.{signature}",
    )
    bad("a critical header", "malformed", signed(claims, typ, key_, crit=["x"], x=1))
    bad("a header over 1,024 characters", "malformed", signed(claims, typ, key_, x="x" * 800))
    bad("a kid over 256 characters", "malformed", signed(claims, typ, key_, kid="x" * 257))
    bad("two parts", "malformed", f"{head}.{payload}")
    bad("padding", "malformed", text + "=")
    bad("claims that are a list", "malformed", signed([], typ, key_))
    double = base64url.encode(canonical.encode(claims)[:-1] + b',"iss":"x"}')
    bad("a claim twice", "malformed", f"{head}.{double}.{signature}")


def offer_claims(**changes: Any) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "iss": AIR, "aud": APPROVE, "iat": T, "exp": T + 600, "jti": "o-1",
        "txn": terms.mint(TXN_KEY, bytes(16), T + 600, APPROVE, booked().digest),
        "authorization_details": booked().details(), "reason": "Book a flight", **changes,
    }  # fmt: skip
    return {name: value for name, value in claims.items() if value is not DROP}


def make_offer() -> None:
    file, typ = File("offer", "An offer, as an approval server takes it (section 4.3)."), "txn-authz-challenge+jwt"
    base: dict[str, Any] = {"jwks": jwks(SERVICE, EDWARDS), "audience": APPROVE, "now": T}
    holder = {"sub": "p-1", "cnf": {"jkt": "J" * 43}}
    file.good("for anyone", offer=signed(offer_claims(), typ, SERVICE), **base)
    file.good("for one holder", offer=signed(offer_claims(**holder), typ, SERVICE), **base)
    file.good(
        "for a holder of 255 characters",
        offer=signed(offer_claims(**{**holder, "sub": "p" * 255}), typ, SERVICE),
        **base,
    )
    file.good("by EdDSA", offer=signed(offer_claims(), typ, EDWARDS), **base)
    a_jws(file, "offer", offer_claims(), typ, SERVICE, "offer", **base)
    for member in offer_claims():
        reason = "offer_malformed"
        file.bad(f"{member} is missing", reason, offer=signed(offer_claims(**{member: DROP}), typ, SERVICE), **base)
    for name, reason, change in [
        ("a member too many", "offer_malformed", {"more": 1}),
        ("sub without cnf", "offer_malformed", {"sub": "p-1"}),
        ("cnf without sub", "offer_malformed", {"cnf": {"jkt": "J" * 43}}),
        ("cnf with more", "offer_malformed", {**holder, "cnf": {"jkt": "J" * 43, "x": 1}}),
        ("another server", "offer_audience", {"aud": "https://other.example"}),
        ("from the future", "offer_time", {"iat": T + 6, "exp": T + 600}),
        ("too long a life", "offer_time", {"exp": T + 601}),
        ("a life of nothing", "offer_time", {"exp": T}),
        ("no act", "offer_act", {"authorization_details": []}),
        ("parameters by digest", "offer_act", {"authorization_details": booked().details(inline=False)}),
        ("an act elsewhere", "offer_act", {"iss": "https://other.example"}),
        ("a name of 256 characters", "offer_malformed", {**holder, "sub": "p" * 256}),
    ]:
        file.bad(name, reason, offer=signed(offer_claims(**change), typ, SERVICE), **base)
    text = signed(offer_claims(), typ, SERVICE)
    file.good("the last second", offer=text, **{**base, "now": T + 599})
    file.bad("the second at which it expires", "offer_expired", offer=text, **{**base, "now": T + 600})
    file.write()


def item_of(**changes: str) -> str:
    """Give an item hash; a member of it can be another."""
    whole = {"aud": AIR, "sub": "p-1", "txn": TXN, "act": BOOKED.digest, "display": display.digest(LINES), **changes}
    return approval.item_hash(**whole)


def given(number: SoftwarePasskey = ADA, **changes: Any) -> dict[str, Any]:
    """Give an approval: a statement over one item, and the assertion over it; members of both can be others."""
    item = item_of(**{name: changes.pop(name) for name in ("aud", "sub", "txn", "act", "display") if name in changes})
    found = statement(item, **changes)
    challenge = approval.challenge(approval.APPROVAL, found)
    return {"statement": found, "webauthn": number.get(challenge).members()}


BOOKED = booked()
LINES = display.render(action.parse(DOCUMENT), PARAMETERS, STATED)
TXN = terms.mint(TXN_KEY, bytes(16), T + 600, APPROVE, BOOKED.digest)


def token_claims(**changes: Any) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "iss": APPROVE, "sub": "p-1", "aud": AIR, "client_id": "c-1", "iat": T + 2, "exp": T + 32, "jti": "j-1",
        "txn": TXN, "cnf": {"jkt": AGENT.public.thumbprint}, "auth_time": T, "acr": "phrh", "amr": ["hwk", "user"],
        "authorization_details": BOOKED.details(), "approvals": [given()], **changes,
    }  # fmt: skip
    return {name: value for name, value in claims.items() if value is not DROP}


ASKING = {"iss", "sub", "aud", "client_id", "iat", "exp", "jti", "cnf"}


def make_token() -> None:
    file = File("token", "An action token: form and signature (section 4.6; checks 2).")
    base = {"jwks": jwks(SERVER, EDWARDS)}
    file.good("by ES256", token=signed(token_claims(), "at+jwt", SERVER), **base)
    file.good("by EdDSA", token=signed(token_claims(), "at+jwt", EDWARDS), **base)
    a_jws(file, "token", token_claims(), "at+jwt", SERVER, "token", **base)
    for member in token_claims():
        text = signed(token_claims(**{member: DROP}), "at+jwt", SERVER)
        file.bad(f"{member} is missing", "token_malformed", token=text, **base)
    for name, change in {
        "a member too many": {"more": 1}, "two audiences": {"aud": [AIR, APPROVE]}, "a time that is a text": {"iat": "1"},
        "cnf with more": {"cnf": {"jkt": "J" * 43, "x": 1}}, "no amr": {"amr": []}, "a jti too long": {"jti": "x" * 129},
    }.items():  # fmt: skip
        file.bad(name, "token_malformed", token=signed(token_claims(**change), "at+jwt", SERVER), **base)
    asking = {name: value for name, value in token_claims().items() if name in ASKING} | {"scope": "ask"}
    file.bad("an asking token", "token_malformed", token=signed(asking, "at+jwt", SERVER), **base)
    file.write()


OWN_KEY: dict[str, Any] = {"kid": DROP, "jwk": AGENT.public.members}


def proof_claims(text: str | None, **changes: Any) -> dict[str, Any]:
    claims: dict[str, Any] = {"jti": "p-1", "htm": "POST", "htu": AIR + "/bookings", "iat": T + 3}
    if text is not None:
        claims["ath"] = canonical.sha256(text.encode())
    return {name: value for name, value in {**claims, **changes}.items() if value is not DROP}


def proof(text: str | None, **changes: Any) -> str:
    header = changes.pop("header", {})
    signer = changes.pop("signer", AGENT)
    claims = proof_claims(text, **changes)
    return signed(claims, "dpop+jwt", signer, **{**OWN_KEY, "jwk": signer.public.members, **header})


def make_proof() -> None:
    file, text = File("proof", "A DPoP proof (RFC 9449; check 5)."), "a.b.c"
    base: dict[str, Any] = {"htm": "POST", "htu": AIR + "/bookings", "now": T + 3, "token": text, "nonces": None}
    file.good("with a token", proof=proof(text), **base)
    file.good("by EdDSA", proof=proof(text, signer=EDWARDS), **base)
    file.good("without a token", proof=proof(None), **{**base, "token": None})
    file.good("with the nonce, whatever its time", proof=proof(text, nonce="n", iat=1), **{**base, "nonces": ["n"]})
    file.good("sixty seconds old", proof=proof(text, iat=T - 57), **base)
    file.good("five seconds ahead", proof=proof(text, iat=T + 8), **base)
    for name, reason, change in [
        ("another method", "proof_htm", {"htm": "PUT"}),
        ("another address", "proof_htu", {"htu": AIR + "/bookings/"}),
        ("an address with a query", "proof_htu", {"htu": AIR + "/bookings?x=1"}),
        ("another token", "proof_ath", {"ath": "x" * 43}),
        ("no token hash", "proof_ath", {"ath": DROP}),
        ("sixty-one seconds old", "proof_iat", {"iat": T - 58}),
        ("six seconds ahead", "proof_iat", {"iat": T + 9}),
        ("no jti", "proof_malformed", {"jti": DROP}),
        ("no method", "proof_malformed", {"htm": DROP}),
        ("no address", "proof_malformed", {"htu": DROP}),
        ("no time", "proof_malformed", {"iat": DROP}),
        ("a time that is a text", "proof_malformed", {"iat": "1"}),
        ("another typ", "proof_typ", {"header": {"typ": "JWT"}}),
        ("alg none", "proof_alg", {"header": {"alg": "none"}}),
        ("another algorithm than the key's", "proof_alg", {"header": {"alg": "EdDSA"}}),
        ("no key", "proof_key", {"header": {"jwk": DROP}}),
        ("a private key", "proof_key", {"header": {"jwk": AGENT.private_jwk()}}),
        ("a point not on its curve", "proof_key", {"header": {"jwk": {**AGENT.public.members, "y": "A" * 43}}}),
        ("another key", "proof_signature", {"header": {"jwk": STRANGER.public.members}}),
    ]:
        file.bad(name, reason, proof=proof(text, **change), **base)
    file.bad(
        "HS256 with the public key", "proof_alg", proof=hs256(proof_claims(text), "dpop+jwt", AGENT, **OWN_KEY), **base
    )
    file.bad("no nonce", "proof_nonce", proof=proof(text), **{**base, "nonces": ["n"]})
    file.bad("an old nonce", "proof_nonce", proof=proof(text, nonce="m"), **{**base, "nonces": ["n"]})
    file.bad("rubbish", "proof_malformed", proof="x", **base)
    file.write()


def make_assertion() -> None:
    file = File("assertion", "A passkey's assertion over a challenge (section 4.4; check 10).")
    challenge = bytes(range(32))
    base: dict[str, Any] = {
        "credential": ADA.credential.members(), "challenge": base64url.encode(challenge), "rp_id": "approve.example",
        "origins": [APPROVE],
    }  # fmt: skip

    def by(found: SoftwarePasskey, **client_data: Any) -> dict[str, Any]:
        return found.get(challenge, **client_data).members()

    file.good("by ES256", assertion=by(ADA), **base)
    rsa = passkey_at("approve.example", "RS256", credential_id=b"rsa")
    eddsa = passkey_at("approve.example", "EdDSA", credential_id=b"ed", key=EDWARDS.key)
    for found in (rsa, eddsa):
        file.good(f"by {found.alg}", assertion=by(found), **{**base, "credential": found.credential.members()})
    file.good("unknown members of client data", assertion=by(ADA, other="x"), **base)
    file.good("no crossOrigin", assertion=by(ADA, crossOrigin=None), **base)
    for name, reason, found in [
        ("another kind of gesture", "assertion_type", by(ADA, type="webauthn.create")),
        ("another origin", "assertion_origin", by(ADA, origin="https://evil.example")),
        ("in a frame", "assertion_cross_origin", by(ADA, crossOrigin=True)),
        ("a top origin", "assertion_cross_origin", by(ADA, topOrigin="https://evil.example")),
        ("another relying party", "assertion_rp_id", passkey_at("evil.example", key=ADA.key).get(challenge).members()),
        ("nobody present", "assertion_up", by(passkey(3001, user_present=False))),
        ("nobody verified", "assertion_uv", by(passkey(3001, user_verified=False))),
        ("another challenge", "assertion_challenge", ADA.get(bytes(32)).members()),
        ("another key", "assertion_signature", by(passkey(3009, credential_id=ADA.credential_id))),
        ("another credential", "assertion_signature", by(passkey(3001, credential_id=b"other"))),
        ("attested data that nobody asked for", "assertion_malformed", ADA.sign(ADA.authenticator_data(b"x" * 20), ADA.client_data("webauthn.get", challenge)).members()),
        ("octets that no flag names", "assertion_malformed", ADA.sign(ADA.authenticator_data() + b"x", ADA.client_data("webauthn.get", challenge)).members()),
        ("too short", "assertion_malformed", ADA.sign(b"x" * 36, ADA.client_data("webauthn.get", challenge)).members()),
        ("client data that is no object", "assertion_malformed", ADA.sign(ADA.authenticator_data(), b"[]").members()),
        ("a name twice in client data", "assertion_malformed", ADA.sign(
            ADA.authenticator_data(), ADA.client_data("webauthn.get", challenge)[:-1] + b',"type":"webauthn.get"}').members()),
    ]:  # fmt: skip
        file.bad(name, reason, assertion=found, **base)
    file.each("assertion", by(ADA), "assertion_malformed", **base)
    file.bad(
        "a signature that is not base64url", "assertion_malformed", assertion={**by(ADA), "signature": "+"}, **base
    )
    file.write()


def make_receipt() -> None:
    file, typ = File("receipt", "A receipt: form and signature (section 4.8)."), "oneact-receipt+jwt"
    claims: dict[str, Any] = {
        "iss": AIR, "aud": APPROVE, "sub": "p-1", "txn": TXN, "jti": "j-1", "act_digest": BOOKED.digest, "iat": T + 4,
        "status": "executed", "result_digest": "R" * 43,
    }  # fmt: skip
    base = {"jwks": jwks(SERVICE)}
    for status in ("executed", "failed", "unknown"):
        file.good(status, receipt=signed({**claims, "status": status}, typ, SERVICE), **base)
    file.good("without a result", receipt=signed(changed(claims, ("result_digest",), DROP), typ, SERVICE), **base)
    a_jws(file, "receipt", claims, typ, SERVICE, "receipt", **base)
    for member in claims:
        if member != "result_digest":
            text = signed(changed(claims, (member,), DROP), typ, SERVICE)
            file.bad(f"{member} is missing", "receipt_malformed", receipt=text, **base)
    for name, change in {
        "a member too many": {"more": 1}, "another status": {"status": "done"}, "a digest that is none": {"act_digest": "x"},
    }.items():  # fmt: skip
        file.bad(name, "receipt_malformed", receipt=signed({**claims, **change}, typ, SERVICE), **base)
    large = signed({**claims, "more": "x" * 8192}, "JWT", SERVICE)
    file.bad("over 8 KiB, before its type is looked at", "receipt_malformed", receipt=large, **base)
    file.write()


def make_receipt_for() -> None:
    file, typ = File("receipt_for", "A receipt, and the token that was issued for its act (section 6.4)."), receipt.TYP
    claims: dict[str, Any] = {
        "iss": AIR, "aud": APPROVE, "sub": "p-1", "txn": TXN, "jti": "j-1", "act_digest": BOOKED.digest, "iat": T + 4,
        "status": "executed",
    }  # fmt: skip
    base: dict[str, Any] = {"issuer": APPROVE, "jti": "j-1", "act_digest": BOOKED.digest}
    file.good("of this token", receipt=signed(claims, typ, SERVICE), **base)
    for member, other in {"aud": "https://other.example", "jti": "j-2", "act_digest": "A" * 43}.items():
        file.bad(
            f"another {member}", "receipt_mismatch", receipt=signed({**claims, member: other}, typ, SERVICE), **base
        )
    file.write()


def make_asked() -> None:
    file, typ = (
        File("asked", "An offer as an agent brings it: for whom, and for which action (section 6.3)."),
        offer.TYP,
    )
    base: dict[str, Any] = {"sub": "p-1", "jkt": "J" * 43, "action": DOCUMENT}
    holder = {"sub": "p-1", "cnf": {"jkt": "J" * 43}}
    anyone, one = signed(offer_claims(), typ, SERVICE), signed(offer_claims(**holder), typ, SERVICE)
    file.good("for anyone", offer=anyone, **base)
    file.good("for anyone, whoever it is", offer=anyone, **{**base, "sub": "p-2", "jkt": "K" * 43})
    file.good("for this person and agent", offer=one, **base)
    plain = offer_claims(authorization_details=booked(PLAIN, None).details())
    file.good("without terms", offer=signed(plain, typ, SERVICE), **{**base, "action": PLAIN})
    file.bad("for another person", "offer_subject", offer=one, **{**base, "sub": "p-2"})
    file.bad("for another agent", "offer_subject", offer=one, **{**base, "jkt": "K" * 43})
    for name, member, other in [
        ("another action's name", "actions", ["check_in"]),
        ("another release of the action", "action_digest", "A" * 43),
        ("without the terms that the action has", "terms", DROP),
    ]:
        claims = offer_claims(authorization_details=changed(booked().details(), (0, member), other))
        file.bad(name, "offer_action", offer=signed(claims, typ, SERVICE), **base)
    claims = offer_claims(authorization_details=booked(PLAIN).details())
    file.bad(
        "terms that the action has not", "offer_action", offer=signed(claims, typ, SERVICE), **{**base, "action": PLAIN}
    )
    file.bad("what is published is another action", "offer_action", offer=anyone, **{**base, "action": PLAIN})
    many = signed(offer_claims(authorization_details=booked(to="x" * 17_000).details()), typ, SERVICE)
    file.bad("more than can be shown", "too_large_to_show", offer=many, **base)
    file.write()


def make_ended() -> None:
    file, typ = File("ended", "The end of a request without a token (section 4.9)."), ended.TYP
    claims: dict[str, Any] = {
        "iss": APPROVE, "aud": "c-1", "sub": "p-1", "resource": AIR, "txn": TXN, "status": "denied", "iat": T,
        "message": "Too dear.",
    }  # fmt: skip
    base = {"jwks": jwks(SERVER, EDWARDS)}
    for status in ended.STATUSES:
        file.good(status, ended=signed({**claims, "status": status}, typ, SERVER), **base)
    file.good("without words", ended=signed(changed(claims, ("message",), DROP), typ, SERVER), **base)
    file.good("with three hundred characters", ended=signed({**claims, "message": "\u00e9" * 300}, typ, SERVER), **base)
    file.good("by EdDSA", ended=signed(claims, typ, EDWARDS), **base)
    a_jws(file, "ended", claims, typ, SERVER, "jws", **base)
    for member in claims:
        if member != "message":
            text = signed(changed(claims, (member,), DROP), typ, SERVER)
            file.bad(f"{member} is missing", "jws_malformed", ended=text, **base)
    for name, change in {
        "a member too many": {"more": 1}, "another status": {"status": "executed"}, "no words at all": {"message": ""},
        "words too many": {"message": "x" * 301}, "a time that is a text": {"iat": "1"},
    }.items():  # fmt: skip
        file.bad(name, "jws_malformed", ended=signed({**claims, **change}, typ, SERVER), **base)
    file.write()


READ_STATEMENT: dict[str, Any] = {
    "iss": APPROVE, "aud": AIR, "sub": "p-1", "client_id": "c-1", "jkt": AGENT.public.thumbprint, "iat": T,
    "exp": T + 3600, "nonce": "A" * 22, "display": "D" * 43, "authorization_details": [{
        "type": "oneact_read", "locations": [AIR], "datatypes": ["itineraries"], "datatypes_digest": "R" * 43,
        "duration": 3600,
    }],
}  # fmt: skip


def make_gesture() -> None:
    file = File("gesture", "What a passkey gesture of each kind signs (section 4.4).")
    nonce, jkt = base64url.encode(bytes(range(16))), AGENT.public.thumbprint
    values: dict[str, Any] = {
        approval.LOGIN: {"iss": APPROVE, "nonce": nonce, "iat": T},
        approval.PAIR: {"iss": APPROVE, "client_id": "c-1", "jkt": jkt, "name": "Trip planner", "nonce": nonce},
        approval.PASSKEY: {"iss": APPROVE, "account": "a-1", "nonce": nonce, "add": {**BOB.credential.members(), "name": "Phone"}},
        approval.ROSTER: the_roster(ADA, BOB).members(),
        approval.APPROVAL: statement("I" * 43),
        approval.READ: READ_STATEMENT,
    }  # fmt: skip
    for tag, value in values.items():
        file.good(tag, tag=tag, value=value)
    removal = {"iss": APPROVE, "account": "a-1", "nonce": nonce, "remove": BOB.id}
    file.good("oneact-passkey-1, a removal", tag=approval.PASSKEY, value=removal)
    named = {**values[approval.PAIR], "name": 'Ada"s \\ \u00e9\n\U0001f600'}
    file.good("texts that JCS escapes", tag=approval.PAIR, value=named)
    for tag in approval.TAGS:
        file.good(f"one value under {tag}", tag=tag, value=values[approval.LOGIN])
    file.write()


def make_client_assertion() -> None:
    file, reason = File("client_assertion", "A client assertion (section 4.7)."), "client_assertion"
    typ = client_assertion.TYP
    claims: dict[str, Any] = {"iss": "c-1", "sub": "c-1", "aud": APPROVE, "iat": T, "exp": T + 60, "jti": "a-1"}
    base: dict[str, Any] = {"jwk": AGENT.public.public_jwk(), "audience": APPROVE, "now": T}
    file.good("good", client_assertion=signed(claims, typ, AGENT), **base)
    for member in claims:
        file.bad(
            f"{member} is missing",
            reason,
            client_assertion=signed(changed(claims, (member,), DROP), typ, AGENT),
            **base,
        )
    for name, change in {
        "iss is another": {"iss": "c-2"}, "another audience": {"aud": AIR}, "from the future": {"iat": T + 6}, "too long a life": {"exp": T + 301},
        "a member too many": {"more": 1},
    }.items():  # fmt: skip
        file.bad(name, reason, client_assertion=signed({**claims, **change}, typ, AGENT), **base)
    file.bad("another typ", reason, client_assertion=signed(claims, "JWT", AGENT), **base)
    file.bad("another key", reason, client_assertion=signed(claims, typ, STRANGER), **base)
    file.bad("another algorithm", reason, client_assertion=signed(claims, typ, EDWARDS), **base)
    file.bad("expired", reason, client_assertion=signed(claims, typ, AGENT), **{**base, "now": T + 60})
    long = {**claims, "iss": "c" * 1600, "sub": "c" * 1600}
    file.bad("over 4 KiB", reason, client_assertion=signed(long, typ, AGENT), **base)
    file.write()


def make_id_token() -> None:
    file, reason = File("id_token", "The ID token of linking, with the roster in it (section 4.7)."), "id_token_invalid"
    claims: dict[str, Any] = {
        "iss": APPROVE, "aud": AIR + "/oneact/client.json", "sub": "p-1", "iat": T, "exp": T + 60, "nonce": "n",
        "auth_time": T, "acr": "phrh", "amr": ["hwk"], "oneact_roster": members(the_roster(), ADA),
    }  # fmt: skip
    base: dict[str, Any] = {
        "jwks": jwks(SERVER), "issuer": APPROVE, "client_id": AIR + "/oneact/client.json", "resource": AIR, "nonce": "n", "now": T,
    }  # fmt: skip
    file.good("good", id_token=signed(claims, "JWT", SERVER), **base)
    for member in claims:
        file.bad(
            f"{member} is missing", reason, id_token=signed(changed(claims, (member,), DROP), "JWT", SERVER), **base
        )
    for name, why, change in [
        ("another issuer", reason, {"iss": AIR}),
        ("another audience", reason, {"aud": AIR}),
        ("another nonce", "link_nonce", {"nonce": "m"}),
        ("from the future", reason, {"iat": T + 6}),
        ("too long a life", reason, {"exp": T + 601}),
        ("another person's roster", "roster_subject", {"sub": "p-2"}),
        (
            "a roster for another service",
            "roster_audience",
            {"oneact_roster": members(the_roster(aud="https://b.example"), ADA)},
        ),
        ("a roster by another server", "roster_issuer", {"oneact_roster": members(the_roster(iss=AIR), ADA)}),
        ("a roster nobody vouched for", "roster_unpinned", {"oneact_roster": members(the_roster(), MALLORY)}),
    ]:
        file.bad(name, why, id_token=signed({**claims, **change}, "JWT", SERVER), **base)
    file.bad("another key", reason, id_token=signed(claims, "JWT", STRANGER), **base)
    file.bad("expired", reason, id_token=signed(claims, "JWT", SERVER), **{**base, "now": T + 60})
    file.write()


def make_ticket() -> None:
    file, reason, typ = (
        File("ticket", "The ticket of a service's own server (section 6.2)."),
        "ticket_invalid",
        ticket.TYP,
    )
    claims: dict[str, Any] = {
        "iss": AIR, "aud": APPROVE, "sub": "ada", "label": "Ada", "auth_time": T - 10, "pinned": None,
        "nonce": base64url.encode(bytes(32)), "iat": T, "exp": T + 60, "jti": "t-1",
    }  # fmt: skip
    base: dict[str, Any] = {"jwks": jwks(SERVICE, EDWARDS), "issuer": AIR, "audience": APPROVE, "now": T, "late": 0}
    file.good("nothing is pinned", ticket=signed(claims, typ, SERVICE), **base)
    file.good("a roster is pinned", ticket=signed({**claims, "pinned": "p-1"}, typ, SERVICE), **base)
    file.good("by EdDSA", ticket=signed(claims, typ, EDWARDS), **base)
    file.good("at its last second", ticket=signed(claims, typ, SERVICE), **{**base, "now": T + 59})
    file.good("by a clock five seconds behind", ticket=signed(claims, typ, SERVICE), **{**base, "now": T - 5})
    file.good("late, and still telling", ticket=signed(claims, typ, SERVICE), **{**base, "now": T + 359, "late": 300})
    for member in claims:
        file.bad(f"{member} is missing", reason, ticket=signed(changed(claims, (member,), DROP), typ, SERVICE), **base)
    for name, change in {
        "another service": {"iss": "https://b.example"}, "another server": {"aud": "https://b.example"},
        "several servers": {"aud": [APPROVE]}, "from the future": {"iat": T + 6, "exp": T + 66}, "no life": {"exp": T},
        "too long a life": {"exp": T + 61}, "a sign-in still to come": {"auth_time": T + 1}, "no account": {"sub": ""},
        "too long an account": {"sub": "a" * 256}, "no label": {"label": ""}, "too long a label": {"label": "a" * 81},
        "pinned by an empty name": {"pinned": ""}, "pinned by a number": {"pinned": 1}, "no digest": {"nonce": "n"},
        "too long an identifier": {"jti": "j" * 129}, "a time that is a text": {"iat": str(T)}, "one more": {"more": 1},
    }.items():  # fmt: skip
        file.bad(name, reason, ticket=signed({**claims, **change}, typ, SERVICE), **base)
    file.bad("another typ", reason, ticket=signed(claims, "JWT", SERVICE), **base)
    file.bad("another key", reason, ticket=signed(claims, typ, STRANGER), **base)
    file.bad("over", reason, ticket=signed(claims, typ, SERVICE), **{**base, "now": T + 60})
    file.bad("too late to tell", reason, ticket=signed(claims, typ, SERVICE), **{**base, "now": T + 360, "late": 300})
    file.bad("over 4 KiB", reason, ticket=signed({**claims, "iss": AIR + "a" * 4000}, typ, SERVICE), **base)
    file.bad("no JWS", reason, ticket="a.b", **base)
    file.write()


def main(wanted: list[str]) -> None:
    """Make the files that are wanted, or every file."""
    for make in (
        make_canonical, make_action, make_parameters, make_act, make_display, make_item_and_statement, make_roster,
        make_removal, make_txn, make_offer, make_token, make_proof, make_assertion, make_receipt, make_client_assertion,
        make_asked, make_receipt_for, make_ended, make_gesture, make_id_token, make_ticket,
    ):  # fmt: skip
        if not wanted or make.__name__.removeprefix("make_") in wanted:
            make()


if __name__ == "__main__":
    main(sys.argv[1:])
