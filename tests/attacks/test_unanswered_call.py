"""Messages of either side that would leave a call without an answer, or end the proxy under everybody else."""

from __future__ import annotations

from tests.attacks.stage_proxy import play, raw
from tests.gateway.playing import Play
from tests.gateway.test_wire import allow, link, tools
from tests.gateway.wire import wired

assert play
assert raw
DEEP = "[" * 960 + "]" * 960
LINES = (
    '"id":1,"method":"ping","params":{"a":1e400}',
    '"id":1,"method":"tools/call","params":{"name":"one","arguments":{"a":-1e400}}',
    f'"id":{DEEP},"method":"ping"',
    f'"id":1,"method":"announce","params":{{"a":{DEEP}}}',
    f'"id":1,"method":"tools/call","params":{{"name":"one","arguments":{{"a":{DEEP}}}}}',
    f'"method":"notifications/cancelled","params":{{"requestId":{DEEP}}}',
    f'"id":1,"method":"announce","params":{{"_meta":{{"progressToken":{DEEP}}}}}',
    '"id":1,"method":"tools/call","params":{"name":"\\ud800","arguments":{"\\udfff":"\\ud800"}}',
)
ANSWERS = (
    '"result":{"content":[],"_meta":[1]}',
    '"result":{"content":"x","isError":"yes","structuredContent":{"\\ud800":"\\udfff"}}',
    f'"result":{{"content":{DEEP}}}',
    '"result":null',
    '"error":5',
    '"params":1',
)


async def test_a_strange_message_of_the_client_ends_nothing(raw: Play) -> None:
    allow(raw, "one")
    async with wired(raw) as wire:
        await wire.hello()
        assert wire.process.stdin is not None
        for number, line in enumerate(LINES, 10):
            wire.process.stdin.write(f'{{"jsonrpc":"2.0",{line}}}\n'.encode())
            assert "result" in await wire.ask(number, "ping"), line
        assert "result" in await wire.call(2, "one")
    assert "the server is gone" not in raw.errors


async def test_a_strange_answer_of_the_server_is_answered_all_the_same(raw: Play) -> None:
    tools(raw, "one", "give")
    async with wired(raw) as wire:
        await wire.hello()
        await link(wire, raw)
        for number, text in enumerate(ANSWERS):
            async with raw.deciding("approve"):
                found = await wire.call(number, "give", {"text": text})
            assert found.keys() & {"result", "error"}
            assert "proxy has failed" not in str(found)
            assert len(raw.calls) == number + 1
