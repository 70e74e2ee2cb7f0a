"""What became of a held call, as the result of a tool: a `CallToolResult` in JSON, for a model and a program to read.

Only what was executed is an ordinary result. Everything else is an error result: nothing may be taken for done that is
not, and a tool's output schema binds ordinary results alone.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import receipt
from oneact.protocol.tool import MEMBERS, PENDING, RECEIPT, REFUSED, SALT, octets
from oneact.service.exchange import JSON, Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.service.behalf.standing import Standing

WAIT: Final = "oneact_wait"
WAIT_TOOL: Final[dict[str, Any]] = {
    "name": WAIT,
    "title": "Wait for a person's approval",
    "description": "Wait for the person's decision on a tool call that is pending; `id` stands in the pending result. "
    "Gives the result of the call once it was approved and done.",
    "inputSchema": {
        "type": "object",
        "properties": {"id": {"type": "string", "description": "The id of the pending call"}},
        "required": ["id"],
        "additionalProperties": False,
    },
    "annotations": {"readOnlyHint": True, "openWorldHint": False},
}

_META: Final = "OneAct-Tool-Meta"  # carries a tool's own `_meta` beside the octets that the receipt is for
_FAILED: Final = 500
_SPENDS: Final = 11  # the check whose refusals say themselves what became of the act

Result = dict[str, Any]


def of_standing(found: Standing) -> Result:
    """Give the result that tells where a held call stands."""
    if found.state == "held":
        return pending(found)
    if found.state == "denied":
        words = f" Their words: {json.dumps(found.said, ensure_ascii=False)}" if found.said else ""
        return error(f"The person said no. Nothing was done.{words} Do not ask for the same again.", Reason.DENIED)
    if found.state == "expired":
        return error("Nobody decided in time. Nothing was done. To ask again, call the tool again.", Reason.EXPIRED)
    if found.state == "refused":
        return refused(Refusal(reason_of(found.said)))
    return done(found)


def pending(found: Standing) -> Result:
    """Say that the call waits for its person, where they decide, and what to do next."""
    where = f"They decide on this page: {found.page}\n" if found.page else "They are being asked.\n"
    text = (
        "This tool call waits for a person's approval. Nothing was done yet.\n"
        f"{where}Show them the address. Then call {WAIT} with id {json.dumps(found.id)}, "
        "or call the same tool again with the same arguments: it goes on with this request."
    )
    waits = {"id": found.id, "page": found.page, "expires": found.expires}
    return _error(text, {PENDING: waits})


def opening(found: Standing) -> tuple[str, str]:
    """Give the message and the address with which a client is asked to open the page; that alone approves nothing."""
    return f"A tool call waits for your approval. Open the page to see and decide it: {found.page}", found.page


def asked_for_input(found: Standing, state: str, *, opens: bool) -> Result:
    """Give the result of revision 2026-07-28 that has the client call again with `state`, the page opened if asked."""
    message, url = opening(found)
    asked = {"approval": {"method": "elicitation/create", "params": {"mode": "url", "message": message, "url": url}}}
    return {"resultType": "input_required", **({"inputRequests": asked} if opens else {}), "requestState": state}


def denied_by_policy(tool: str) -> Result:
    """Say that the owner of the server allows nobody to call a tool."""
    return _error(f"The owner of this server does not allow the tool {json.dumps(tool)}. Nothing was done.", {})


def declined() -> Result:
    """Say that the person did not open the page."""
    return error("The person did not open the page for the approval. Nothing was done.", Reason.CANCELLED)


def unlinked(link_page: str, shown: str = "") -> Result:
    """Say that the account has no passkey yet, and by which page it gets one.

    `shown` says how the server itself has shown its person an address that signs in, which no program is told.
    """
    way = shown or f"The person links one on this page: {link_page}\nShow them the address."
    text = (
        f"This tool needs a person's approval, and no passkey is linked yet. Nothing was done.\n{way} "
        "When they have done so, call the same tool again with the same arguments."
    )
    return _error(text, {PENDING: {"page": link_page}, REFUSED: dict(Refusal(Reason.PASSKEY_NEEDED).body())})


def refused(refusal: Refusal, **members: Any) -> Result:  # noqa: ANN401 - members of a refusal, in JSON
    """Tell a refusal by its row of the closed table, with further members."""
    text = _refusal_text(refusal.reason, refusal.field, unspent=refusal.reason.check != _SPENDS)
    return _error(text, {REFUSED: {**refusal.body(), **members}})


def error(text: str, reason: Reason) -> Result:
    """Give an error result in plain words, with its row of the closed table."""
    return _error(text, {REFUSED: dict(Refusal(reason).body())})


def done(found: Standing) -> Result:
    """Give the tool's own result with its receipt, or what the receipt alone says of it."""
    if found.answer is not None:
        return executed(found.answer)
    return _error(_became(_status(found.receipt)), {RECEIPT: found.receipt} if found.receipt else {})


def executed(answer: Answer) -> Result:
    """Give the result out of an answer that `of_result` made, its receipt and salt in `_meta`."""
    named = {name.lower(): value for name, value in answer.headers}
    result: Result = json.loads(answer.body)
    meta = json.loads(named.get(_META.lower(), "{}"))
    for member, header in ((RECEIPT, "oneact-receipt"), (SALT, "oneact-result-salt")):
        if header in named:
            meta[member] = named[header]
    return {**result, "_meta": meta} if meta else result


def is_executed(answer: Answer) -> bool:
    """Tell whether an answer of the guard's is a tool's own result, not a refusal."""
    return any(name.lower() == "oneact-receipt" for name, _ in answer.headers)


def of_answer(answer: Answer) -> Result:
    """Give what the guard answered to a call with a token, or to one that asks for an offer.

    A refusal's whole body stands in `_meta`: an offer, the receipt and the answer of an act that was used before.
    """
    if is_executed(answer):
        return executed(answer)
    told: Any = json.loads(answer.body or b"{}")
    members = told if isinstance(told, dict) else {}
    if members.get("transaction_challenge") and not members.get("not_executed"):
        text = "This tool needs a person's approval. Nothing was done. The offer to have approved is in `_meta`."
        return _error(text, {REFUSED: members})
    if isinstance(members.get("receipt"), str):
        return _error(_became(_status(members["receipt"])), {REFUSED: members, RECEIPT: members["receipt"]})
    row, field = reason_of(str(members.get("reason"))), members.get("field")
    # With a token that may have been used before, only the guard's own word says that it was not.
    unspent = row.check == 0 or members.get("not_executed") is True
    return _error(_refusal_text(row, field if isinstance(field, str) else "", unspent=unspent), {REFUSED: members})


def of_result(result: Mapping[str, Any]) -> Answer:
    """Give a tool's result, in JSON, as the handler's answer: one with `isError` is a failure.

    The receipt is for `octets`; the own `_meta` of a result goes along in a header, but for what only the guard says.
    """
    status = _FAILED if result.get("isError") is True else 200
    found = result.get("_meta")
    own = found if isinstance(found, dict) else {}
    meta = {name: said for name, said in own.items() if not name.startswith(MEMBERS)}
    carried = ((_META, json.dumps(meta)),) if meta else ()
    return Answer(status, octets(result), JSON, carried)


def reason_of(said: str) -> Reason:
    """Give the row of a reason by its value; what is none is `internal`."""
    return next((reason for reason in Reason if reason.value == said), Reason.INTERNAL)


def _became(status: str) -> str:
    if status == "executed":
        return "It was done, once; its answer is not here any more. Do not call it again for the same."
    if status == "failed":
        return "The tool was called and failed; its answer is not here any more."
    return "It is not known whether it was done. Do not call it again before you have looked."


def _refusal_text(reason: Reason, field: str, *, unspent: bool) -> str:
    """Say a refusal in words, and that nothing was executed where that is known and not said already."""
    if reason is Reason.HELD_UNKNOWN:
        return f"Refused ({reason.value}): This program has no such call, or none any more."
    at = f" The argument at fault: {field}." if field else ""
    after = " Nothing was executed." if unspent and "nothing was" not in reason.says.lower() else ""
    return f"Refused ({reason.value}): {reason.says}{at}{after}"


def _status(text: str) -> str:
    try:
        return receipt.parse(text)[0].status
    except Refusal:
        return "unknown"


def _error(text: str, meta: dict[str, Any]) -> Result:
    result: Result = {"content": [{"type": "text", "text": text}], "isError": True}
    return {**result, "_meta": meta} if meta else result


def text_of(result: Result) -> str:
    """Give the first text of a result."""
    found: Result = next((block for block in result.get("content", []) if block.get("type") == "text"), {})
    return str(found.get("text", ""))
