"""How a service is broken, in its own process: one line of a function taken out, or one answer told otherwise."""

from __future__ import annotations
import __future__

import importlib
import inspect
import json
import textwrap
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

App = Callable[..., Awaitable[None]]
Answer = tuple[int, dict[str, str], bytes]
Change = Callable[[str, Answer], Answer]


@dataclass
class Ground:
    """Where a fault is put in: the answers are rewritten on their way out."""

    issuer: str
    rewrites: list[Change] = field(default_factory=list)

    def wrap(self, app: App) -> App:
        """Give the app with its answers rewritten."""

        async def rewritten(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http" or not self.rewrites:
                await app(scope, receive, send)
                return
            parts: list[Any] = []

            async def keep(message: Any) -> None:
                parts.append(message)

            await app(scope, receive, keep)
            headers = {name.decode(): value.decode() for name, value in parts[0]["headers"]}
            answer: Answer = parts[0]["status"], headers, b"".join(part.get("body", b"") for part in parts[1:])
            for change in self.rewrites:
                answer = change(scope["path"], answer)
            status, headers, body = answer
            named = [(name.encode(), value.encode()) for name, value in headers.items() if name != "content-length"]
            named.append((b"content-length", str(len(body)).encode()))
            await send({"type": "http.response.start", "status": status, "headers": named})
            await send({"type": "http.response.body", "body": body})

        return rewritten


Fault = Callable[[Ground], None]
_written: dict[str, str] = {}  # functions as they were written anew, for a second piece in the same one


def functions(module: str) -> Iterator[tuple[str, Any]]:
    """Give the functions that a module of the service defines, those of its classes too."""
    place = importlib.import_module(f"oneact.{module}")
    for name, value in list(vars(place).items()):
        owned = vars(value).items() if inspect.isclass(value) else [("", value)]
        for inner, member in owned:
            function = inspect.unwrap(getattr(member, "fget", None) or getattr(member, "__func__", member))
            if inspect.isfunction(function) and function.__module__ == place.__name__:
                yield f"{module}:{name}.{inner}".rstrip("."), function


def source(target: str, function: Any) -> str:
    """Give the text of a function as it stands, with what was written anew in it."""
    if target in _written:
        return _written[target]
    made_up = function.__code__.co_filename.startswith("<")  # as a dataclass makes them
    return "" if made_up else textwrap.dedent(inspect.getsource(function))


def edit(target: str, old: str, new: str) -> Fault:
    """Write a function anew with one piece of its text in place of another, which has to stand there once.

    `target` is `protocol.jws:verify`, or a module alone, where whichever function has the piece is meant.
    """

    def put_in(_: Ground) -> None:
        module = target.partition(":")[0]
        named = [(name, found) for name, found in functions(module) if target in {module, name}]
        places = [(name, found) for name, found in named if old in source(name, found)]
        assert len(places) == 1, f"{target} has {len(places)} functions with {old!r}"
        name, function = places[0]
        assert source(name, function).count(old) == 1, f"{name} has more than one {old!r}"
        _written[name] = source(name, function).replace(old, new)
        flags = __future__.annotations.compiler_flag
        compiled = compile(_written[name], name, "exec", flags=flags, dont_inherit=True)
        made: dict[str, Any] = {}
        exec(compiled, function.__globals__, made)  # noqa: S102 - the service's own function, with its one fault
        again = made[function.__name__]
        again = inspect.unwrap(getattr(again, "fget", None) or getattr(again, "__func__", again))
        function.__code__ = again.__code__

    return put_in


def skip(target: str, condition: str) -> Fault:
    """Never find a condition true."""
    return edit(target, f"if {condition}:", "if False:")


def put(target: str, value: Any) -> Fault:
    """Set a constant of a module, or a function of a class."""

    def put_in(_: Ground) -> None:
        module, _, path = target.partition(":")
        owner: Any = importlib.import_module(f"oneact.{module}")
        *parents, name = path.split(".")
        for parent in parents:
            owner = getattr(owner, parent)
        assert hasattr(owner, name), target
        setattr(owner, name, value)

    return put_in


def wrap(target: str, make: Callable[[Any], Any]) -> Fault:
    """Put a function in place of one, made of it."""

    def put_in(ground: Ground) -> None:
        module, _, path = target.partition(":")
        owner: Any = importlib.import_module(f"oneact.{module}")
        *parents, name = path.split(".")
        for parent in parents:
            owner = getattr(owner, parent)
        setattr(owner, name, make(getattr(owner, name)))
        _ = ground

    return put_in


def all_of(*faults: Fault) -> Fault:
    """Put in several faults that make one: a check that looks in two places."""

    def put_in(ground: Ground) -> None:
        for fault in faults:
            fault(ground)

    return put_in


def told(change: Change) -> Fault:
    """Rewrite answers."""
    return lambda ground: ground.rewrites.append(change)


def members(path: str, /, **changes: Any) -> Fault:
    """Set members of the JSON that is answered at a path; None takes one out."""

    def change(at: str, answer: Answer) -> Answer:
        status, headers, body = answer
        if at != path:
            return answer
        value = {**json.loads(body), **changes}
        return status, headers, json.dumps({name: item for name, item in value.items() if item is not None}).encode()

    return told(change)


def refusals(reason: str, /, **changes: Any) -> Fault:
    """Set members of the refusals for a reason; None takes one out."""

    def change(_: str, answer: Answer) -> Answer:
        status, headers, body = answer
        if b'"reason":"' + reason.encode() + b'"' not in body:
            return answer
        value = {**json.loads(body), **changes}
        return status, headers, json.dumps({name: item for name, item in value.items() if item is not None}).encode()

    return told(change)


def header(reason: str, name: str, value: str | None) -> Fault:
    """Set a header field of the refusals for a reason, or take it out."""

    def change(_: str, answer: Answer) -> Answer:
        status, headers, body = answer
        if b'"reason":"' + reason.encode() + b'"' not in body:
            return answer
        kept = {key: item for key, item in headers.items() if key != name}
        return status, kept if value is None else {**kept, name: value}, body

    return told(change)


def status(path: str, code: int, *, of: int) -> Fault:
    """Answer below a path with another status than this one."""
    return told(lambda at, answer: (code, *answer[1:]) if at.startswith(path) and answer[0] == of else answer)
