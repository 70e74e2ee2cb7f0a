"""Each refused request of `check` has one thing wrong: with all checks but the one that refuses it, it passes.

The pure rooms are run with one refusal taken out of their code: where it would be raised, the check goes on as if
nothing had been found. Where there is nothing to go on with, as without a proof, the one thing that is wrong is put
right instead.
"""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

from oneact.errors import Reason, Refusal
from oneact.protocol import act, approval, base64url, canonical, dpop, form, jwk, jws, passkey, terms, token
from oneact.service import checks
from tests.vectors.generate import APPROVE, MALLORY, SERVER, STRANGER, jwks
from tests.vectors.generate_check import EVIL, account_of
from tests.vectors.run import outcome
from tests.vectors.test_vectors import FILES, GUARDS

ROOMS = (checks, token, dpop, jws, jwk, terms, approval, passkey, form, act, base64url, canonical)
REFUSED = {vector["name"]: vector for vector in FILES["check"]["vectors"] if "reason" in vector}
# Refusals that stand behind the one of the table, of the same fault.
BEHIND: dict[str, set[Reason]] = {
    "a proof with its private key": {Reason.KEY_MALFORMED},
    # No signature but the key's own is good, and these have none of that algorithm.
    "alg none": {Reason.TOKEN_SIGNATURE},
    "HS256 with the public key": {Reason.TOKEN_SIGNATURE},
    "a proof by HS256": {Reason.PROOF_SIGNATURE},
    # The passkey signed what is more, too.
    "a statement with more": {Reason.ASSERTION_CHALLENGE},
}
# What read tokens alone are refused with; their vectors are of a kind of their own.
OF_READS = {Reason.READ_MALFORMED, Reason.READ_NOT_OPENED, Reason.READ_CHANGED}
# With nothing left to check, or another act all through, whose offer and approval are another's too.
NOT_ALONE = {
    "a token that is none",
    "a proof that is none",
    "no act",
    "no approval",
    "a txn that is none",
    "a changed parameter",
    "an added parameter",
    "a dropped parameter",
    "another action",
    "a new release of the action",
}


def put(*path: Any) -> Callable[[dict[str, Any]], None]:
    """Put right what stands at a path; its last step is the value."""

    def mend(vector: dict[str, Any]) -> None:
        *inner, last, value = path
        found = vector
        for step in inner:
            found = found[step]
        found[last] = value

    return mend


def as_dpop(vector: dict[str, Any]) -> None:
    [bearer] = vector["request"]["authorization"]
    vector["request"]["authorization"] = [bearer.replace("Bearer", "DPoP")]


GOOD = next(vector for vector in FILES["check"]["vectors"] if "expect" in vector)
MENDED: dict[str, Callable[[dict[str, Any]], None]] = {
    "no token": lambda vector: vector.update(request=GOOD["request"]),
    "as Bearer": as_dpop,
    "no proof": lambda vector: vector.update(request=GOOD["request"]),
    "another issuer": put("service", "issuers", EVIL, jwks(STRANGER)),
    "an unknown kid": put("service", "issuers", APPROVE, jwks(SERVER, STRANGER)),
    "no kid": lambda vector: vector.update(request=GOOD["request"]),
    "a proof without key": lambda vector: vector.update(request=GOOD["request"]),
    "nobody linked": put("account", GOOD["account"]),
    "an unpinned passkey": put("account", account_of(MALLORY)),
    "a passkey pinned for another server": put("account", GOOD["account"]),
    "a passkey of another linked person": put("account", GOOD["account"]),
}


class _GoingOn(ast.NodeTransformer):
    """Turns every `raise Refusal(…)` into a call that may come back."""

    def visit_Raise(self, node: ast.Raise) -> ast.stmt:
        made = node.exc
        if not isinstance(made, ast.Call) or not isinstance(made.func, ast.Name) or made.func.id != "Refusal":
            return node
        call = ast.Call(ast.Name("_refuse", ast.Load()), [made], [])
        return ast.copy_location(ast.Expr(call), node)


def _code(module: ModuleType) -> dict[str, CodeType]:
    """Give the changed code of each function of a module, by its qualified name."""
    tree = _GoingOn().visit(ast.parse(Path(str(module.__file__)).read_text()))
    found: dict[str, CodeType] = {}

    def collect(code: CodeType) -> None:
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                found[constant.co_qualname] = constant
                collect(constant)

    collect(compile(ast.fix_missing_locations(tree), "<without a refusal>", "exec", dont_inherit=True))
    return found


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    for value in vars(module).values():
        inner = inspect.unwrap(value) if callable(value) else value
        members = vars(inner).values() if isinstance(inner, type) and inner.__module__ == module.__name__ else [inner]
        for member in members:
            function = member.fget if isinstance(member, property) else member
            if isinstance(function, FunctionType) and function.__module__ == module.__name__:
                yield function


CODE = {module.__name__: _code(module) for module in ROOMS}
CACHES = [value for module in ROOMS for value in vars(module).values() if hasattr(value, "cache_clear")]


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Take refusals out of the pure rooms until the test ends."""

    def take_out(reasons: set[Reason]) -> None:
        def refuse(refusal: Refusal) -> None:
            if refusal.reason not in reasons:
                raise refusal

        for module in ROOMS:
            monkeypatch.setitem(vars(module), "_refuse", refuse)
            for function in _functions(module):
                changed = CODE[module.__name__].get(function.__code__.co_qualname)
                if changed is not None and not changed.co_freevars:
                    monkeypatch.setattr(function, "__code__", changed)

    _forget()
    yield take_out
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    for cache in CACHES:
        cache.cache_clear()


@pytest.mark.parametrize("name", sorted(REFUSED.keys() - NOT_ALONE - MENDED.keys()))
def test_without_its_check_and_with_all_others_a_request_passes(name: str, without: Callable[..., None]) -> None:
    vector = REFUSED[name]
    without({Reason(vector["reason"])} | BEHIND.get(name, set()))
    assert "expect" in outcome("check", vector)


@pytest.mark.parametrize("name", sorted(MENDED))
def test_with_the_one_thing_put_right_a_request_passes(name: str) -> None:
    vector = copy.deepcopy(REFUSED[name])
    MENDED[name](vector)
    assert "expect" in outcome("check", vector)


def test_every_code_of_the_numbered_checks_has_a_request_that_it_alone_refuses() -> None:
    alone = {vector["reason"] for name, vector in REFUSED.items() if name not in NOT_ALONE}
    assert {reason.value for reason in Reason if 1 <= reason.check <= 10 and reason not in GUARDS | OF_READS} == alone


def test_the_names_are_those_of_vectors() -> None:
    assert BEHIND.keys() | NOT_ALONE | MENDED.keys() <= REFUSED.keys()
    assert not NOT_ALONE & (MENDED.keys() | BEHIND.keys())


def test_with_all_refusals_left_in_the_changed_code_does_as_the_code_does(without: Callable[..., None]) -> None:
    without(set())
    for vector in FILES["check"]["vectors"]:
        assert outcome("check", vector) == {name: vector[name] for name in ("expect", "reason") if name in vector}
