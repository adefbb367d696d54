"""`stadtbot phone` as an operator starts it, for tests and measurements."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.running import ROOT
from tests.telephony.pbx_server import PbxServer

READY_WITHIN_S = 60.0
TOPICS = ("Was kostet ein Reisepass?", "Wie hoch ist die Hundesteuer?")
"""What the keys 1 and 2 stand for where nothing else is offered."""
Values = Mapping[str, object]


class PhoneBridge:
    """The bridge of one exchange, with the tests' tiny models.

    Attributes:
        log: what it says while it runs.
        settings: sections of its settings.
    """

    def __init__(self, folder: Path, asterisk: PbxServer, *, service: Values, model: Path, voice: Path) -> None:
        self.log = folder / "phone.log"
        self._file = folder / "telephony.toml"
        self._process: subprocess.Popen[bytes] | None = None
        patience = {"patience": 4_000}
        self.settings: dict[str, Values] = {
            "service": {"answer_within": "PT4S", **service},
            "pbx": {"port": asterisk.ami_port, "secret": asterisk.secret},
            "bridge": {"port": asterisk.bridge_port},
            "recognition": {"model": str(model)},
            "voice": {"model": str(voice)},
            "conversation": {"city": "Jena"},
            "conversation.patience.open": patience,
            "conversation.patience.yes_no": patience,
            "conversation.patience.choice": patience,
            "conversation.patience.number": patience,
        }

    @property
    def process(self) -> psutil.Process:
        """As the machine sees it."""
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def start(self) -> None:
        """Start it and wait until it takes calls."""
        begun = time.monotonic()
        self.launch()
        while b"Takes calls" not in self.log.read_bytes():
            if not self.runs or time.monotonic() - begun > READY_WITHIN_S:
                raise RuntimeError(self.log.read_text())
            time.sleep(0.05)

    def launch(self) -> None:
        """Start it."""
        self._file.write_text(_toml(self.settings), encoding="utf-8")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STADTBOT_")}
        command = [sys.executable, "-m", "stadtbot", "phone", "--settings", str(self._file)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def ended(self, *, within_s: float = 30.0) -> int:
        """Wait until it ends of its own accord; its exit code."""
        assert self._process is not None
        return self._process.wait(within_s)

    def stop(self) -> int:
        """End it as an operator does; its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """It crashes."""
        self._end(signal.SIGKILL)

    @contextmanager
    def changed(self, **sections: Values) -> Iterator[PhoneBridge]:
        """Other settings for a while; it is started anew before and after."""
        before = self.settings
        self.stop()
        self.settings = {**before, **{name: {**before.get(name, {}), **new} for name, new in sections.items()}}
        try:
            self.start()
            yield self
        finally:
            self.stop()
            self.settings = before
            self.start()

    def _end(self, how: signal.Signals) -> int:
        assert self._process is not None
        children = self.process.children(recursive=True) if self.runs else []
        self._process.send_signal(how)
        try:
            return self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            _, left = psutil.wait_procs(children, timeout=10)
            for child in left:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            assert not left, "the voice outlived the bridge"


@contextmanager
def phone_bridge(
    folder: Path, asterisk: PbxServer, *, service: Values, model: Path, voice: Path
) -> Iterator[PhoneBridge]:
    """A bridge that takes calls; whoever ends it starts it again."""
    bridge = PhoneBridge(folder, asterisk, service=service, model=model, voice=voice)
    try:
        bridge.start()
        yield bridge
    finally:
        if bridge.runs:
            bridge.stop()


def _toml(settings: Mapping[str, Values]) -> str:
    lines = []
    for section, values in settings.items():
        lines.append(f"[{section}]")
        lines += [f"{name} = {_value(value)}" for name, value in values.items()]
    for topic in TOPICS:
        lines += ["[[conversation.topics]]", f"label = {_value(topic)}", f"question = {_value(topic)}"]
    return "\n".join([*lines, ""])


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else f'"{value}"'
