"""The tests' own telephone, tried on the exchange."""

from __future__ import annotations

import asyncio

import pytest

from tests.telephony.pbx_server import BOT_NUMBER, HOST, STAFF_HOST, PbxServer
from tests.telephony.sip import Phone, until
from tests.telephony.sound import from_alaw, loudness, silence, strength, to_alaw, tone


def test_alaw_keeps_a_tone() -> None:
    heard = from_alaw(to_alaw(tone(440, 0.5)))
    assert strength(heard, 440) == pytest.approx(8_000, rel=0.05)
    assert strength(heard, 1_000) < 100
    assert loudness(from_alaw(to_alaw(silence(0.1)))) < 10


def test_a_phone_hears_itself_on_the_echo_number(asterisk: PbxServer) -> None:
    async def run() -> None:
        async with asterisk.desk() as phone:
            call = await phone.call("*43")
            assert call.status == 200
            call.play(silence(0.2) + tone(440, 1.0))
            sent_at = await call.played()
            await until(lambda: call.heard.loud_at() and not call.heard.loud_at(sent_at + 0.2))
            begun = call.heard.loud_at()
            ended = call.heard.last_loud_at()
            assert begun is not None and ended is not None
            assert ended - begun == pytest.approx(1.0, abs=0.1)
            assert strength(call.heard.between(begun, ended), 440) > 7_000
            gaps = call.heard.gaps_ms(begun, ended)
            assert sum(gaps) / len(gaps) == pytest.approx(20, abs=1)
            call.press("12#")
            await call.played()
            await until(lambda: call.audio.keys_heard == ["1", "2", "#"])
            await call.hang_up()
        await asyncio.to_thread(nobody_calls, asterisk)

    asyncio.run(run())


def test_many_calls_at_once(asterisk: PbxServer) -> None:
    async def run() -> None:
        async with asterisk.desk() as phone:
            calls = await asyncio.gather(*(phone.call("*43") for _ in range(8)))
            for number, call in enumerate(calls):
                call.play(tone(400 + 100 * number, 1.0))
            for call in calls:
                await call.played()
            for number, call in enumerate(calls):
                assert strength(call.heard.between(call.heard.packets[-40].at), 400 + 100 * number) > 3_000
        await asyncio.to_thread(nobody_calls, asterisk)

    asyncio.run(run())


def test_a_wrong_password_is_refused(asterisk: PbxServer) -> None:
    async def run() -> int:
        pbx = (HOST, asterisk.sip_port)
        async with Phone(pbx=pbx, host=STAFF_HOST, number="101", password="falsch") as phone:
            return await phone.register()

    assert asyncio.run(run()) == 401


def test_staff_call_each_other_and_a_caller_who_gives_up_is_let_go(asterisk: PbxServer) -> None:
    async def run() -> None:
        async with asterisk.desk("101") as one, asterisk.desk("102") as other:
            calling = asyncio.create_task(one.call("102", within_s=1.5))
            ringing = await other.incoming()
            assert "101" in ringing.caller
            with pytest.raises(TimeoutError):
                await calling
            await until(ringing.ended.is_set)

            calling = asyncio.create_task(one.call("102"))
            ringing = await other.incoming()
            await ringing.answer()
            call = await calling
            call.play(tone(500, 1.0))
            ringing.play(tone(900, 1.0))
            await call.played()
            await until(lambda: call.heard.seconds > 0.8 and ringing.heard.seconds > 0.8)
            assert strength(ringing.heard.pcm, 500) > 3_000
            assert strength(call.heard.pcm, 900) > 3_000
            await ringing.hang_up()
            await until(call.ended.is_set)

            calling = asyncio.create_task(one.call("102"))
            await (await other.incoming()).reject()
            assert (await calling).status == 486
        await asyncio.to_thread(nobody_calls, asterisk)

    asyncio.run(run())


def test_strangers_are_refused(asterisk: PbxServer) -> None:
    async def run() -> int:
        pbx = (HOST, asterisk.sip_port)
        async with Phone(pbx=pbx, host="127.0.0.4", number="0364112345") as phone:
            return (await phone.call(BOT_NUMBER, within_s=5)).status

    assert asyncio.run(run()) == 401


def nobody_calls(asterisk: PbxServer) -> None:
    """Every call is over and its channel has gone."""
    asyncio.run(until(lambda: asterisk.channels() == []))
