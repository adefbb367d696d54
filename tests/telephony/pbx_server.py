"""Starts the real Asterisk with the project's own configuration, on free ports of loopback, in a temporary folder."""

from __future__ import annotations

import random
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from tests.running import ROOT, free_port
from tests.telephony.sip import Phone, until

TREE = ROOT / ".tools" / "asterisk"
"""Where `scripts/setup dev` has unpacked Asterisk."""
CONFIGURATION = ROOT / "telephony" / "asterisk"
HOST = "127.0.0.1"
"""Where the exchange listens."""
CARRIER_HOST = "127.0.0.2"
"""Calls from here come from the telephone network."""
STAFF_HOST = "127.0.0.3"
"""For staff's phones."""
BOT_NUMBER = "03641000"
"""The bot answers."""
OVERFLOW_NUMBER = "03641001"
"""Staff's phones ring; the bot answers when they are busy or nobody picks up."""
AFTER_HOURS_NUMBER = "03641002"
"""Staff's phones ring in office hours, else the bot answers."""
PHONES = {extension: secrets.token_hex(8) for extension in ("101", "102", "103")}
"""Staff's phones and their passwords; 101 and 102 ring for the queue."""
ALWAYS = "*,*,*,*"
NEVER = "00:00-00:00,mon,29,feb"
OF_EVERY_ASTERISK = ("acl.conf", "ccss.conf", "cel.conf", "features.conf", "pjproject.conf", "udptl.conf")
"""Files that come with Asterisk and are left as they are."""
RTP_PORTS = 400
READY_WITHIN_S = 20.0


class NoAsterisk(RuntimeError):
    """`scripts/setup dev` could not bring Asterisk."""


class PbxServer:
    """An exchange that can be ended, killed, started again and given other settings.

    Attributes:
        sip_port: SIP over UDP on `HOST`.
        ami_port: the manager interface on `HOST`.
        bridge_port: where it expects the bridge (AudioSocket) on `HOST`.
        secret: of the user `stadtbot` of the manager interface.
        settings: what stands in stadtbot.conf instead of its own values.
        log: warnings and errors.
        sounds: the folder of announcements.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.sip_port = _free_udp_ports(1)
        self.ami_port = free_port()
        self.bridge_port = free_port()
        self.secret = secrets.token_hex(16)
        self.log = folder / "log" / "messages.log"
        self.sounds = folder / "data" / "sounds" / "de"
        rtp = _free_udp_ports(RTP_PORTS)
        self.settings = {
            "BRIDGE": f"{HOST}:{self.bridge_port}",
            f"MODE_{OVERFLOW_NUMBER}": "overflow",
            f"MODE_{AFTER_HOURS_NUMBER}": "after-hours",
            "OPEN_1": ALWAYS,
            "CLOSED_1": "",
            "OVERFLOW_AFTER": "2",
            "RING": "5",
            "port": str(self.ami_port),
            "secret": self.secret,
            "bind": f"{HOST}:{self.sip_port}",
            "media_address": HOST,
            "match": CARRIER_HOST,
            "contact": f"sip:{CARRIER_HOST}:5060",
            "rtpstart": str(rtp),
            "rtpend": str(rtp + RTP_PORTS - 1),
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._lay()

    def start(self) -> None:
        """Start and wait until calls can be taken.

        Raises:
            NoAsterisk: there is none, or it does not start.
        """
        if not (TREE / ".installed").exists():
            raise NoAsterisk("run `scripts/setup dev`: it brings Asterisk into .tools/asterisk")
        self._configure()
        output = (self.folder / "log" / "console.log").open("ab")
        with output:
            command = [*_program(), "-C", str(self.folder / "etc" / "asterisk.conf"), "-f", "-n"]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        begun = time.monotonic()
        while "fully booted" not in self._console("core waitfullybooted"):
            if self._process.poll() is not None or time.monotonic() - begun > READY_WITHIN_S:
                raise NoAsterisk((self.folder / "log" / "console.log").read_text()[-4000:])
            time.sleep(0.05)

    def stop(self) -> None:
        """End it as an administrator does; calls end, too."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """It crashes."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Crash and come back on the same ports."""
        self.kill()
        self.start()

    def reload(self, **settings: str) -> None:
        """Take over changed values of stadtbot.conf while it runs."""
        self.settings |= settings
        self._configure()
        self.console("core reload")
        self.console("core waitfullybooted")

    @contextmanager
    def changed(self, **settings: str) -> Iterator[None]:
        """Other settings for a while."""
        before = {name: self.settings.get(name, "") for name in settings}
        self.reload(**settings)
        try:
            yield
        finally:
            self.reload(**before)

    def console(self, command: str) -> str:
        """What Asterisk's own console answers.

        Raises:
            RuntimeError: it does not run.
        """
        answer = self._console(command)
        if "Unable to connect" in answer:
            raise RuntimeError(answer)
        return answer

    def channels(self) -> list[str]:
        """Names of the channels that are up."""
        return [line.split("!")[0] for line in self.console("core show channels concise").splitlines() if "!" in line]

    def caller(self, number: str = "0364112345") -> Phone:
        """A telephone somewhere in the telephone network."""
        return Phone(pbx=(HOST, self.sip_port), host=CARRIER_HOST, number=number)

    @asynccontextmanager
    async def desk(self, extension: str = "101") -> AsyncIterator[Phone]:
        """A telephone on a desk in the town hall, registered and counted as there."""
        async with self.staff_phone(extension) as phone:
            assert await phone.register() == 200
            await until(lambda: not self._is_away(extension))
            try:
                yield phone
            finally:
                with suppress(TimeoutError):
                    await phone.register(expires_s=0)

    def staff_phone(self, extension: str = "101") -> Phone:
        """The same before it has registered."""
        return Phone(pbx=(HOST, self.sip_port), host=STAFF_HOST, number=extension, password=PHONES[extension])

    def _is_away(self, extension: str) -> bool:
        members = self.console("queue show stadtbot").splitlines()
        return any(f"PJSIP/{extension} " in line and re.search(r"\((Unavailable|Invalid)\)", line) for line in members)

    def _console(self, command: str) -> str:
        configuration = str(self.folder / "etc" / "asterisk.conf")
        done = subprocess.run(
            [*_program(), "-C", configuration, "-rx", command], capture_output=True, text=True, timeout=READY_WITHIN_S
        )
        return done.stdout + done.stderr

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _lay(self) -> None:
        for name in ("etc", "var", "spool", "run", "log", "cache", "data/moh"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.sounds.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # Asterisk reads its own options from their documentation
            (self.folder / "data" / "documentation").symlink_to(TREE / "usr" / "share" / "asterisk" / "documentation")

    def _configure(self) -> None:
        for name in OF_EVERY_ASTERISK:
            (self.folder / "etc" / name).touch()
        for file in CONFIGURATION.glob("*.conf"):
            shutil.copy(file, self.folder / "etc")
        (self.folder / "etc" / "stadtbot.conf").write_text(
            with_settings((CONFIGURATION / "stadtbot.conf").read_text(), self.settings)
        )
        (self.folder / "etc" / "stadtbot-phones.conf").write_text(
            "".join(
                f"[{extension}](phone)\nauth={extension}\naors={extension}\n"
                f"[{extension}](phone-auth)\nusername={extension}\npassword={password}\n"
                f"[{extension}](phone-address)\n"
                for extension, password in PHONES.items()
            )
        )
        folders = {
            "astetcdir": self.folder / "etc",
            "astmoddir": _libraries() / "asterisk" / "modules",
            "astvarlibdir": self.folder / "var",
            "astdbdir": self.folder / "var",
            "astkeydir": self.folder / "var",
            "astdatadir": self.folder / "data",
            "astagidir": self.folder / "var",
            "astspooldir": self.folder / "spool",
            "astrundir": self.folder / "run",
            "astlogdir": self.folder / "log",
            "astcachedir": self.folder / "cache",
            "astsbindir": TREE / "usr" / "sbin",
        }
        lines = "".join(f"{name} => {path}\n" for name, path in folders.items())
        (self.folder / "etc" / "asterisk.conf").write_text(f"[directories]\n{lines}[options]\nnocolor = yes\n")


@contextmanager
def pbx_server(**settings: str) -> Iterator[PbxServer]:
    """An exchange that runs; its folder is thrown away at the end."""
    folder = Path(tempfile.mkdtemp(prefix="stadtbot-pbx-"))  # short: it holds a socket
    server = PbxServer(folder, **settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def with_settings(text: str, settings: Mapping[str, str]) -> str:
    """The text of stadtbot.conf with other values; a new one goes into the dialplan's section."""
    for name, value in settings.items():
        line = f"{name}={value}"
        text, found = re.subn(rf"^;?{re.escape(name)}=.*$", line.replace("\\", r"\\"), text, flags=re.MULTILINE)
        if not found:
            text = text.replace("[stadtbot-dialplan](!)\n", f"[stadtbot-dialplan](!)\n{line}\n")
    return text


def _libraries() -> Path:
    return next((TREE / "usr" / "lib").glob("*/asterisk")).parent


def _program() -> list[str]:
    """Asterisk on its own C library: it is newer than the machine's."""
    loader = next(_libraries().glob("ld-linux-*.so.*"))
    return [str(loader), "--library-path", str(_libraries()), str(TREE / "usr" / "sbin" / "asterisk")]


def _free_udp_ports(count: int) -> int:
    """The first of so many ports on loopback that are free, below those that the system hands out."""
    while True:
        first = random.randrange(10_000, 32_000 - count, 2)
        with suppress(OSError):
            for port in {first, first + count // 2, first + count - 1}:
                with socket.socket(type=socket.SOCK_DGRAM) as probe:
                    probe.bind((HOST, port))
            return first
