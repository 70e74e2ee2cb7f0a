"""Rows of check 6: the act that is asked for is the act that was approved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.conformance import candidates, making, outcome, routes
from oneact.conformance.fault import Fault, drop, put, twice
from oneact.conformance.outcome import Failed, Skipped
from oneact.conformance.row import Group, Row, accepted, answered, refusal
from oneact.errors import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from oneact.conformance.fault import Members
    from oneact.conformance.stage import Stage

_INVALID: Final = Reason.PARAMETERS_INVALID.value


def _in_act(change: Callable[[Members], Members]) -> Callable[[list[Members]], list[Members]]:
    return lambda right: [change(right[0])]


def _changed(stage: Stage) -> None:
    """Send every parameter with another value than the approved one, one at a time."""
    _each(stage, list(stage.parameters), stage.parameters)


def _added(stage: Stage) -> None:
    """Send every optional parameter that was not approved, one at a time."""
    _each(stage, [name for name in candidates.names(stage.action)[1] if name not in stage.parameters], stage.parameters)


def _each(stage: Stage, names: list[str], approved: Members) -> None:
    played = 0
    for name in names:
        for value in candidates.others(stage.action, approved, name):
            answer = stage.attempt(Fault(parameters=put(**{name: value})))
            if outcome.body(answer).get("reason") == _INVALID:  # the service itself is stricter than its schema
                continue
            _refused(answer, f"{name} = {value!r}")
            played += 1
            break
    if not played:
        raise Skipped(f"the schema of {stage.action.name} shows no such value")


def _refused(answer: httpx.Response, about: str) -> None:
    try:
        outcome.refused(answer, Reason.ACT_MISMATCH)
    except Failed as failed:
        raise Failed(failed.expected, f"for {about}: {failed.came}") from failed


def _dropped(stage: Stage) -> None:
    """Have every optional parameter approved with a value that is not its default, and leave it out."""
    played = 0
    for name in candidates.names(stage.action)[1]:
        bare = {given: value for given, value in stage.parameters.items() if given != name}
        for value in candidates.others(stage.action, bare, name):
            approved = {**bare, name: value}
            if outcome.body(stage.plain(approved)).get("reason") != Reason.APPROVAL_REQUIRED.value:
                continue
            _refused(stage.attempt(Fault(parameters=drop(name)), stage.ask(approved)), f"{name}, approved as {value!r}")
            played += 1
            break
    if not played:
        raise Skipped(f"{stage.action.name} has no optional parameter")


def _needed(stage: Stage) -> None:
    """Leave out every parameter that the action needs, one at a time."""
    required, _ = candidates.names(stage.action)
    if not required:
        raise Skipped(f"{stage.action.name} needs no parameter")
    for name in required:
        outcome.refused(stage.attempt(Fault(parameters=drop(name))), Reason.PARAMETERS_INVALID)


def _another_action(stage: Stage) -> None:
    """Have one action approved and ask for another with that token."""
    made = stage.approve(stage.ask_of_another_action())
    answer = stage.show(stage.ask(), made)
    outcome.refused(answer, Reason.ACT_MISMATCH)


def _own_address(stage: Stage) -> None:
    """Ask, and show the token, at the action's own method and path in place of the address for acts by name."""
    target = routes.of(stage)
    outcome.executed(_at(stage, target))


def _own_address_changed(stage: Stage) -> None:
    """Change a parameter there, with a proof that is right for where it goes."""
    name, value = next(
        ((n, v) for n in stage.parameters for v in candidates.others(stage.action, stage.parameters, n)), ("", None)
    )
    if not name:
        raise Skipped("no other value is known for a parameter")
    target = routes.of(stage, {**stage.parameters, name: value})
    outcome.refused(_at(stage, target), Reason.ACT_MISMATCH)


def _at(stage: Stage, target: routes.Target) -> httpx.Response:
    """Show a right token, with a proof for there."""
    shown = stage.credentials(target.method, target.htu, stage.approve(stage.ask()))
    return stage.send(target.method, target.url, [*shown, *target.fields], target.content)


_MISMATCH: Final = (Reason.ACT_MISMATCH,)
GROUP: Final = Group(
    "Check 6: the act",
    (
        answered("6.1", "parameter changed", "each parameter with another value than approved", _MISMATCH, _changed),
        answered("6.2", "parameter added", "each optional parameter that was not approved", _MISMATCH, _added),
        answered("6.3", "parameter dropped", "each optional parameter approved, then left out", _MISMATCH, _dropped),
        answered(
            "6.4", "needed one dropped", "each parameter that the action needs left out",
            (Reason.PARAMETERS_INVALID,), _needed,
        ),
        refusal(
            "6.5", "unknown parameter", "a parameter that the action does not list", Reason.PARAMETER_UNKNOWN,
            Fault(parameters=put(oneact_conformance="x")),
        ),
        refusal(
            "6.6", "parameters twice", "a body that names parameters twice", Reason.JSON_DUPLICATE_KEY,
            Fault(body=twice("parameters")),
        ),
        refusal(
            "6.7", "another action digest", "a token for the action as it was published otherwise", Reason.ACT_MISMATCH,
            Fault(act=lambda right: right._replace(action_digest=making.other_digest("another release"))),
        ),
        refusal(
            "6.8", "another action's name", "a token for an action of another name", Reason.ACT_MISMATCH,
            Fault(act=lambda right: right._replace(action="another_action")),
        ),
        answered("6.9", "another action", "the token of another action, approved and unspoilt", _MISMATCH, _another_action),
        refusal(
            "6.10", "another location", "a token whose act is at another service, its aud this one",
            Reason.ACT_MISMATCH, Fault(act=lambda right: right._replace(location="https://other.example")),
        ),
        refusal(
            "6.11", "unknown member", "an act with a member that no act has", Reason.ACT_MALFORMED,
            Fault(details=_in_act(put(privileges=["all"]))),
        ),
        refusal(
            "6.12", "two acts", "the act twice in authorization_details", Reason.ACT_MALFORMED,
            Fault(details=lambda right: right * 2),
        ),
        refusal("6.13", "no act", "authorization_details empty", Reason.ACT_MALFORMED, Fault(details=lambda _: [])),
        refusal(
            "6.14", "another type", "an act of another type", Reason.ACT_MALFORMED,
            Fault(details=_in_act(put(type="payment_initiation"))),
        ),
        refusal(
            "6.15", "parameters and digest", "an act with parameters_digest beside parameters", Reason.ACT_MALFORMED,
            Fault(details=_in_act(lambda right: {"parameters": {}, "parameters_digest": making.other_digest("x"), **right})),
        ),
        refusal(
            "6.16", "two locations", "an act at this service and another", Reason.ACT_MALFORMED,
            Fault(details=_in_act(lambda right: {**right, "locations": [*right["locations"], "https://other.example"]})),
        ),
        accepted(
            "6.17", "parameters by digest", "a right token that carries parameters_digest", Fault(details=making.by_digest)
        ),
        Row("6.18", "own address", "a right request at the action's own method and path", "executed", _own_address),
        answered(
            "6.19", "changed at own address", "a parameter changed at the action's own method and path", _MISMATCH,
            _own_address_changed,
        ),
    ),
)  # fmt: skip
