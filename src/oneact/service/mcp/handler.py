"""The function behind a tool: its arguments as pydantic reads them, and the terms that its owner states."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from oneact.errors import Reason, Refusal
from oneact.service.mcp.calling import NotApprovedError
from oneact.service.typed import handler as typed
from oneact.service.typed.handler import EMPTY, NO_FILES, Said
from oneact.service.typed.parameters import value_field

if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable, Mapping, Sequence

    from oneact.service.act import Act
    from oneact.service.declaring import Terms
    from oneact.service.exchange import Answer
    from oneact.service.guard import GuardCore
    from oneact.service.mcp.declared import Declared
    from oneact.service.multipart import Upload
    from oneact.service.typed.parameters import Field


class Handler(typed.Handler):
    """The function of a tool whose schema has these `properties`; its other arguments are the server's to give.

    `names` below are those of the tool's own arguments, before they become parameters of the act. Raises ValueError
    for a property that is no argument, and for what could not be said in JSON.
    """

    def __init__(
        self,
        guard: GuardCore,
        tool: str,
        function: Callable[..., Any],
        properties: frozenset[str],
        declared: Declared | None = None,
    ) -> None:
        self._properties = properties
        self._infos: dict[str, FieldInfo] = {}
        said: Terms = {} if declared is None else {"terms": declared.terms, "terms_hold": declared.terms_hold}
        super().__init__(guard, tool, function, said)
        missing = properties - self.parameters.names
        if missing:
            raise ValueError(f"tool {tool}: {sorted(missing)} are no arguments of its function")

    @property
    def must(self) -> frozenset[str]:
        """Give the arguments that a caller has to give: those without a default that is known beforehand."""
        return frozenset(field.argument for field in self.parameters.fields if field.default is EMPTY)

    def validated(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Give in JSON what the function really gets for these arguments, defaults filled in.

        Refuses `parameters_invalid` and `parameter_unknown`.
        """
        written = self._written(given)
        if self._written(written) != written:
            raise Refusal(Reason.PARAMETERS_INVALID, "the arguments change when they are read again")
        return written

    def check(self, approved: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
        """Raise `NotApprovedError` where the function is called with other arguments than those that were approved."""
        fields = [field for field in self.parameters.fields if field.argument in arguments]
        written = {name: value for field in fields for name, value in field.write(arguments[field.argument]).items()}
        if written != dict(approved):
            raise NotApprovedError(f"{self.name} was called with other arguments than those approved")

    def is_beside(self, found: inspect.Parameter, plain: Any, marks: Sequence[Any]) -> bool:  # noqa: ANN401, ARG002 - parts of a signature
        """Leave to the server what does not stand in the tool's schema."""
        return found.name not in self._properties

    def said(self, found: inspect.Parameter, plain: Any, marks: Sequence[Any]) -> Said:  # noqa: ANN401, ARG002 - parts of a signature
        """Read a default, plain or as pydantic's `Field`; one that is made at each call is not known beforehand."""
        infos = [mark for mark in (*marks, found.default) if isinstance(mark, FieldInfo)]
        if isinstance(found.default, FieldInfo):
            self._infos[found.name] = found.default
        default = EMPTY if isinstance(found.default, FieldInfo) else found.default
        for info in infos:
            if info.default is not PydanticUndefined and info.default is not ...:
                default = info.default
            if info.default_factory is not None:
                default = EMPTY
        return Said("body", found.name, default)

    async def run(self, parameters: dict[str, Any], act: Act, contents: Mapping[str, bytes] = NO_FILES) -> Answer:
        """Never: the server runs the function."""
        raise NotImplementedError

    def uploaded(self, file: Upload) -> Any:  # noqa: ANN401 - there is none
        """Never: a tool takes no files."""
        raise NotImplementedError

    def _parameter(self, argument: str, plain: Any, annotation: Any, said: Said) -> Field:  # noqa: ANN401, ARG002 - parts of a signature
        """Give one argument, a model too, as the one member it is in a tool's schema."""
        info = self._infos.get(argument)
        self._sources[argument] = "body"
        return value_field(
            argument, argument, annotation if info is None else Annotated[annotation, info], said.default
        )

    def _written(self, given: Mapping[str, Any]) -> dict[str, Any]:
        made = self.parameters.arguments(given)
        fields = self.parameters.fields
        return {name: value for field in fields for name, value in field.write(made[field.argument]).items()}
