"""A telephone of the tests' own: SIP (RFC 3261) over UDP with digest (RFC 2617).

    async with Phone(pbx=("127.0.0.1", 5060), host="127.0.0.2", number="0364112345") as phone:
        call = await phone.call("03641000")
        call.play(pcm)
        await call.played()
        call.press("1")
        heard = call.heard.pcm
        await call.hang_up()

All times are those of `time.monotonic()`.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Self, TypeVar

from tests.telephony.rtp import KEYS, PCMA, Address, Audio, Recording
from tests.telephony.sound import to_alaw

RESEND_S = 0.5
ANSWER_WITHIN_S = 5.0
T = TypeVar("T")


async def until(condition: Callable[[], T], *, within_s: float = 10.0) -> T:
    """Wait until something is true; gives it.

    Raises:
        TimeoutError: it does not become true.
    """
    async with asyncio.timeout(within_s):
        while not (found := condition()):  # noqa: ASYNC110 - nothing tells when a condition has come true
            await asyncio.sleep(0.01)
        return found


# --- messages ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """A SIP request or response."""

    start: str
    headers: list[tuple[str, str]]
    body: str = ""

    @classmethod
    def parsed(cls, datagram: bytes) -> Message:
        head, _, body = datagram.decode(errors="replace").partition("\r\n\r\n")
        start, *lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return cls(start, [(name.strip().lower(), value.strip()) for name, _, value in pairs], body)

    def get(self, name: str) -> str:
        """The first value of a header; empty if there is none."""
        return next((value for known, value in self.headers if known == name.lower()), "")

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for known, value in self.headers if known == name.lower()]

    @property
    def method(self) -> str:
        """Of a request."""
        return self.start.split(" ", 1)[0]

    @property
    def status(self) -> int:
        """Of a response."""
        return int(self.start.split(" ", 2)[1])

    @property
    def is_response(self) -> bool:
        return self.start.startswith("SIP/2.0 ")

    @property
    def contact(self) -> str:
        """Address for what follows in the same dialog."""
        found = re.search(r"<(.*?)>", self.get("Contact"))
        return found.group(1) if found else ""

    @property
    def media(self) -> Address | None:
        """Where the other side wants to receive audio."""
        host = re.search(r"^c=IN IP4 (\S+)", self.body, re.MULTILINE)
        port = re.search(r"^m=audio (\d+)", self.body, re.MULTILINE)
        return (host.group(1), int(port.group(1))) if host and port else None


def encoded(start: str, headers: list[tuple[str, str]], body: str = "") -> bytes:
    """A message as it is sent."""
    if body:
        headers = [*headers, ("Content-Type", "application/sdp")]
    lines = [start, *(f"{name}: {value}" for name, value in headers), f"Content-Length: {len(body)}", "", body]
    return "\r\n".join(lines).encode()


# --- calls -------------------------------------------------------------------------------------------------------


class Call:
    """One call, from or to a phone.

    Attributes:
        status: final answer to an outgoing call (200: somebody has picked up).
        ended: the other side, or this one, has hung up.
        invite: what an incoming call says about itself.
    """

    def __init__(self, phone: Phone, audio: Audio, *, call_id: str, local: str, remote: str, target: str) -> None:
        self.status = 0
        self.ended = asyncio.Event()
        self.invite: Message | None = None
        self.acknowledged = asyncio.Event()
        self.audio = audio
        self.id = call_id
        self.local = local
        self.remote = remote
        self.target = target
        self.cseq = 1
        self.via = ""
        self._phone = phone

    @property
    def heard(self) -> Recording:
        """What has been heard so far."""
        return self.audio.heard

    @property
    def caller(self) -> str:
        """The From header of an incoming call: name and number in the phone's display."""
        return self.invite.get("From") if self.invite else self.local

    def play(self, pcm: bytes) -> None:
        """Say something, after what is being said."""
        self.audio.play(to_alaw(pcm))

    def press(self, symbols: str) -> None:
        """Press keys one after the other; speech waits meanwhile."""
        self.audio.press(symbols)

    def hush(self) -> None:
        """Say no more."""
        self.audio.silence()

    async def played(self) -> float:
        """Wait until all has been said and pressed; when its last packet was sent."""
        await self.audio.idle.wait()
        return self.audio.last_sent_at

    async def answer(self) -> None:
        """Pick up."""
        assert self.invite is not None
        self.audio.start()
        while not self.acknowledged.is_set():
            self._phone.reply(self.invite, 200, "OK", self)
            try:
                async with asyncio.timeout(RESEND_S):
                    await self.acknowledged.wait()
            except TimeoutError:
                if self.ended.is_set():
                    raise ConnectionError("the caller has gone") from None

    async def reject(self, status: int = 486, reason: str = "Busy Here") -> None:
        """Do not pick up."""
        assert self.invite is not None
        self._phone.reply(self.invite, status, reason, self)
        await self.over()

    async def hang_up(self) -> None:
        """End it; nothing happens if it is over."""
        if self.invite is not None and not self.acknowledged.is_set():
            await self.reject()
        elif not self.ended.is_set():
            await self._phone.bye(self)
        await self.over()

    async def over(self) -> None:
        """Let go of everything."""
        self.ended.set()
        self._phone.calls.pop(self.id, None)
        await self.audio.stop()


class Phone(asyncio.DatagramProtocol):
    """A telephone that can have several calls at once."""

    def __init__(self, *, pbx: Address, host: str, number: str, password: str = "", port: int = 0) -> None:
        self.calls: dict[str, Call] = {}
        self.number = number
        self._pbx = pbx
        self._host = host
        self._port = port
        self._password = password
        self._transport: asyncio.DatagramTransport | None = None
        self._incoming: asyncio.Queue[Call] = asyncio.Queue()
        self._answers: dict[tuple[str, str], asyncio.Queue[Message]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=(self._host, self._port))
        return self

    async def __aexit__(self, *_: object) -> None:
        for call in list(self.calls.values()):
            try:
                async with asyncio.timeout(1):
                    await call.hang_up()
            except TimeoutError:
                await call.over()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._transport is not None:
            self._transport.close()
            await asyncio.sleep(0)  # lets the transports go

    async def register(self, *, expires_s: int = 300) -> int:
        """Say that the phone is there (or, with 0, that it no longer is); gives the exchange's answer.

        Raises:
            TimeoutError: there is none.
        """
        address = f"sip:{self._pbx[0]}:{self._pbx[1]}"
        who = f"<sip:{self.number}@{self._pbx[0]}>"
        async with asyncio.timeout(ANSWER_WITHIN_S):
            answer = await self._request(
                "REGISTER",
                address,
                call_id=secrets.token_hex(8),
                cseq=1,
                local=f"{who};tag={secrets.token_hex(4)}",
                remote=who,
                extra=[("Expires", str(expires_s))],
            )
        return answer.status

    async def call(self, number: str, *, display: str = "", caller: str | None = None, within_s: float = 40.0) -> Call:
        """Call somebody, and wait for the answer. `display` and `caller` go into From as they are, however foul.

        Raises:
            TimeoutError: nobody picks up; the call is cancelled.
        """
        to = f"sip:{number}@{self._pbx[0]}:{self._pbx[1]}"
        name = f'"{display}" ' if display else ""
        local = f"{name}<sip:{caller if caller is not None else self.number}@{self._host}>;tag={secrets.token_hex(4)}"
        audio = await self._audio()
        call = Call(self, audio, call_id=secrets.token_hex(8), local=local, remote=f"<{to}>", target=to)
        self.calls[call.id] = call
        try:
            async with asyncio.timeout(within_s):
                await self._invite(call, to)
        except (TimeoutError, asyncio.CancelledError):
            self._send("CANCEL", to, call)
            await call.over()
            raise
        if call.status >= 300:
            await call.over()
        else:
            audio.start()
        return call

    async def incoming(self, *, within_s: float = 10.0) -> Call:
        """The next call that makes the phone ring.

        Raises:
            TimeoutError: it does not ring.
        """
        async with asyncio.timeout(within_s):
            return await self._incoming.get()

    async def bye(self, call: Call) -> None:
        """Tell the exchange that a call is over."""
        call.cseq += 1
        await self._request(
            "BYE", call.target, call_id=call.id, cseq=call.cseq, local=call.local, remote=call.remote, extra=[]
        )

    def reply(self, request: Message, status: int, reason: str, call: Call | None = None) -> None:
        """Answer a request of the exchange."""
        to = request.get("To")
        if call is not None and "tag=" not in to:
            to = call.local
        headers = [("Via", via) for via in request.all("Via")]
        headers += [("From", request.get("From")), ("To", to), ("Call-ID", request.get("Call-ID"))]
        headers += [("CSeq", request.get("CSeq")), ("Contact", self._contact)]
        body = self._offer(call.audio) if call is not None and request.method == "INVITE" and status == 200 else ""
        self._write(encoded(f"SIP/2.0 {status} {reason}", headers, body))

    # --- what the exchange sends

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        self._port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: object) -> None:
        message = Message.parsed(data)
        call_id = message.get("Call-ID")
        if message.is_response:
            waiting = self._answers.get((call_id, message.get("CSeq")))
            if waiting is not None:
                waiting.put_nowait(message)
            return
        call = self.calls.get(call_id)
        match message.method:
            case "INVITE" if call is None:
                self._task(self._ring(message))
            case "INVITE" if call is not None and "tag=" in message.get("To"):
                call.audio.remote = message.media or call.audio.remote
                self.reply(message, 200, "OK", call)
            case "ACK" if call is not None:
                call.acknowledged.set()
            case "BYE":
                self.reply(message, 200, "OK")
                if call is not None:
                    self._task(call.over())
            case "CANCEL":
                self.reply(message, 200, "OK")
                if call is not None and call.invite is not None:
                    self.reply(call.invite, 487, "Request Terminated", call)
                    self._task(call.over())
            case "OPTIONS" | "NOTIFY" | "INFO" | "UPDATE":
                self.reply(message, 200, "OK")

    async def _ring(self, invite: Message) -> None:
        call_id = invite.get("Call-ID")
        local = f"{invite.get('To')};tag={secrets.token_hex(4)}"
        audio = Audio()
        call = Call(self, audio, call_id=call_id, local=local, remote=invite.get("From"), target=invite.contact)
        call.invite = invite
        self.calls[call_id] = call
        await self._audio(audio)
        audio.remote = invite.media
        self.reply(invite, 180, "Ringing", call)
        self._incoming.put_nowait(call)

    # --- what the phone sends

    async def _invite(self, call: Call, to: str) -> None:
        answer = await self._request(
            "INVITE",
            to,
            call_id=call.id,
            cseq=call.cseq,
            local=call.local,
            remote=call.remote,
            extra=[],
            body=self._offer(call.audio),
        )
        call.status = answer.status
        call.remote = answer.get("To")
        if answer.status < 300:
            call.target = answer.contact
            call.audio.remote = answer.media
            call.via = self._via()
        self._send("ACK", call.target, call)

    async def _request(
        self,
        method: str,
        uri: str,
        *,
        call_id: str,
        cseq: int,
        local: str,
        remote: str,
        extra: list[tuple[str, str]],
        body: str = "",
    ) -> Message:
        """Send until there is an answer, with the password if it is asked for; gives the final answer."""
        key = (call_id, f"{cseq} {method}")
        answers = self._answers[key] = asyncio.Queue()
        headers = self._headers(method, call_id=call_id, cseq=cseq, local=local, remote=remote)
        if method == "INVITE":
            self.calls[call_id].via, self.calls[call_id].cseq = headers[0][1], cseq
        datagram = encoded(f"{method} {uri} SIP/2.0", [*headers, *extra], body)
        try:
            self._write(datagram)
            provisional = False
            while True:
                try:
                    async with asyncio.timeout(None if provisional else RESEND_S):
                        answer = await answers.get()
                except TimeoutError:
                    self._write(datagram)
                    continue
                if answer.status >= 200:
                    break
                provisional = True
        finally:
            del self._answers[key]
        challenge = answer.get("WWW-Authenticate") or answer.get("Proxy-Authenticate")
        if answer.status not in (401, 407) or not self._password or any("uthorization" in name for name, _ in extra):
            return answer
        if method == "INVITE":
            refused = self.calls[call_id]
            refused.remote = answer.get("To")
            self._send("ACK", uri, refused)
        name = "Authorization" if answer.status == 401 else "Proxy-Authorization"
        extra = [*extra, (name, self._proof(challenge, method, uri))]
        return await self._request(
            method, uri, call_id=call_id, cseq=cseq + 1, local=local, remote=remote, extra=extra, body=body
        )

    def _send(self, method: str, uri: str, call: Call) -> None:
        """Send what belongs to the latest INVITE and is not answered."""
        headers = self._headers(method, call_id=call.id, cseq=call.cseq, local=call.local, remote=call.remote)
        self._write(encoded(f"{method} {uri} SIP/2.0", [("Via", call.via), *headers[1:]]))

    def _via(self) -> str:
        return f"SIP/2.0/UDP {self._host}:{self._port};rport;branch=z9hG4bK{secrets.token_hex(8)}"

    def _headers(self, method: str, *, call_id: str, cseq: int, local: str, remote: str) -> list[tuple[str, str]]:
        return [
            ("Via", self._via()),
            ("Max-Forwards", "70"),
            ("From", local),
            ("To", remote),
            ("Call-ID", call_id),
            ("CSeq", f"{cseq} {method}"),
            ("Contact", self._contact),
        ]

    def _proof(self, challenge: str, method: str, uri: str) -> str:
        """That we know the password."""
        asked = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge))
        ours = secrets.token_hex(4)
        secret = _md5(f"{self.number}:{asked['realm']}:{self._password}")
        response = _md5(f"{secret}:{asked['nonce']}:00000001:{ours}:auth:{_md5(f'{method}:{uri}')}")
        quoted = {"username": self.number, "realm": asked["realm"], "nonce": asked["nonce"], "uri": uri}
        quoted |= {"response": response, "cnonce": ours, "opaque": asked.get("opaque", "")}
        parts = ", ".join(f'{name}="{value}"' for name, value in quoted.items())
        return f"Digest {parts}, algorithm=MD5, qop=auth, nc=00000001"

    @property
    def _contact(self) -> str:
        return f"<sip:{self.number}@{self._host}:{self._port}>"

    def _offer(self, audio: Audio) -> str:
        lines = [
            "v=0",
            f"o=- 1 1 IN IP4 {self._host}",
            "s=-",
            f"c=IN IP4 {self._host}",
            "t=0 0",
            f"m=audio {audio.port} RTP/AVP {PCMA} {KEYS}",
            f"a=rtpmap:{PCMA} PCMA/8000",
            f"a=rtpmap:{KEYS} telephone-event/8000",
            f"a=fmtp:{KEYS} 0-15",
            "a=ptime:20",
            "a=sendrecv",
        ]
        return "".join(f"{line}\r\n" for line in lines)

    async def _audio(self, audio: Audio | None = None) -> Audio:
        audio = audio or Audio()
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: audio, local_addr=(self._host, 0))
        return audio

    def _write(self, datagram: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(datagram, self._pbx)

    def _task(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
