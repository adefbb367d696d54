"""Models are fetched from a server that is cut off, lies, or sends archives of somebody who means harm."""

from __future__ import annotations

import hashlib
import io
import stat
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from stadtbot import models
from stadtbot.cli import app
from stadtbot.downloading import PAUSES_S, FetchFailed, RemoteFile
from stadtbot.models import Shelf, SpeechModel
from stadtbot.settings import ROOT
from tests.running import free_port


@dataclass
class Publisher:
    """A web server whose faults are set by the test."""

    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: list[int] = field(default_factory=list)
    """Bytes after which the next connections are cut."""
    busy: int = 0
    """Requests that are answered with 503."""
    status: int = 200
    knows_ranges: bool = True
    tells_length: bool = True
    tag: str = '"1"'
    shift: int = 0
    """Bytes by which an answered part is not the one that was asked for."""
    leads_to: str = ""
    hold: threading.Event | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Paths with the ranges that were asked for."""
    url: str = ""

    def answer(self, request: Handler) -> None:
        path, wanted = request.path, request.headers.get("Range", "")
        self.asked.append((path, wanted))
        if self.hold is not None:
            self.hold.wait(30)
        if self.busy:
            self.busy -= 1
            return request.empty(503)
        if self.leads_to:
            return request.empty(302, Location=self.leads_to)
        if self.status != 200 or path not in self.files:
            return request.empty(self.status if self.status != 200 else 404)
        content, start = self.files[path], 0
        if self.knows_ranges and wanted and request.headers.get("If-Range", self.tag) == self.tag:
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) + self.shift
            if start >= len(content):
                return request.empty(416)
        request.send_response(206 if start else 200)
        request.send_header("ETag", self.tag)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if self.tells_length:
            request.send_header("Content-Length", str(len(content) - start))
        request.send_header("Connection", "close")
        request.end_headers()
        end = start + self.cut_after.pop(0) if self.cut_after else len(content)
        request.wfile.write(content[start:end])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    publisher: Publisher

    def do_GET(self) -> None:
        self.publisher.answer(self)
        self.close_connection = True

    def empty(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "0", "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    publisher = Publisher()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OneHandler", (Handler,), {"publisher": publisher}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    publisher.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield publisher
    server.shutdown()
    server.server_close()
    thread.join()


def zipped(files: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


MODEL = {
    "vosk-de/am/final.mdl": bytes(range(256)) * 2_000,
    "vosk-de/conf/mfcc.conf": b"--sample-frequency=16000\n",
    "vosk-de/README": b"A model",
}
ARCHIVE = zipped(MODEL, compression=zipfile.ZIP_STORED)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def recognition(publisher: Publisher) -> SpeechModel:
    publisher.files["/vosk-de.zip"] = ARCHIVE
    return SpeechModel(
        name="vosk-de",
        what="ears",
        licence="Apache-2.0",
        files=(RemoteFile(f"{publisher.url}/vosk-de.zip", len(ARCHIVE), sha256(ARCHIVE)),),
        parts=("am/final.mdl", "conf/mfcc.conf"),
        room=2_000_000,
    )


@pytest.fixture
def voice(publisher: Publisher) -> SpeechModel:
    publisher.files |= {"/v.onnx": b"voice" * 1_000, "/v.onnx.json": b"{}"}
    files = [RemoteFile(f"{publisher.url}{path}") for path in ("/v.onnx", "/v.onnx.json")]
    return SpeechModel("v", "voice", "CC0", tuple(files), ("v.onnx", "v.onnx.json"), 2_000_000)


def unpinned(model: SpeechModel) -> SpeechModel:
    return replace(model, files=tuple(RemoteFile(file.url) for file in model.files))


@dataclass
class Bench:
    """A shelf in a folder, with all that it said and all that it waited for."""

    folder: Path
    waited: list[float] = field(default_factory=list)
    progress: list[tuple[str, int, int]] = field(default_factory=list)

    def bring(self, model: SpeechModel) -> dict[str, str]:
        with httpx.Client(follow_redirects=True, trust_env=False) as http:
            shelf = Shelf(
                self.folder, http=http, progress=lambda *said: self.progress.append(said), sleep=self.waited.append
            )
            return shelf.bring(model)[1]

    def files(self) -> dict[str, bytes]:
        """What is there, apart from what a later run needs."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and path.name not in ("lock", "checksums")
        }


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "models")


def test_a_model_is_fetched_and_unpacked(bench: Bench, recognition: SpeechModel, publisher: Publisher) -> None:
    assert bench.bring(recognition) == {recognition.files[0].url: sha256(ARCHIVE)}
    assert bench.files() == MODEL
    assert publisher.asked == [("/vosk-de.zip", "")]
    assert ("vosk-de.zip", len(ARCHIVE), len(ARCHIVE)) in bench.progress


def test_a_voice_of_two_files(bench: Bench, voice: SpeechModel) -> None:
    bench.bring(voice)
    assert bench.files() == {"v/v.onnx": b"voice" * 1_000, "v/v.onnx.json": b"{}"}


@pytest.mark.parametrize("pinned", [True, False])
def test_cut_connections_are_resumed(
    bench: Bench, recognition: SpeechModel, publisher: Publisher, pinned: bool
) -> None:
    publisher.cut_after = [1_000, 20_000, 50_000]
    bench.bring(recognition if pinned else unpinned(recognition))
    assert [wanted for _, wanted in publisher.asked] == ["", "bytes=1000-", "bytes=21000-", "bytes=71000-"]
    assert bench.files() == MODEL


def test_a_later_run_goes_on(bench: Bench, recognition: SpeechModel, publisher: Publisher) -> None:
    publisher.cut_after = [100_000, *[0] * 20]
    with pytest.raises(FetchFailed, match="kept; start again"):
        bench.bring(recognition)
    assert set(bench.files()) == {".fetching/vosk-de/vosk-de.zip.part", ".fetching/vosk-de/vosk-de.zip.etag"}
    assert bench.waited == [PAUSES_S[0], *PAUSES_S]
    publisher.cut_after.clear()
    publisher.asked.clear()
    bench.bring(recognition)
    assert publisher.asked == [("/vosk-de.zip", "bytes=100000-")]
    assert bench.files() == MODEL


def test_a_file_that_was_there_is_not_fetched_twice(bench: Bench, voice: SpeechModel, publisher: Publisher) -> None:
    pinned = [replace(file, size=len(publisher.files[f"/{file.name}"])) for file in voice.files]
    voice = replace(voice, files=tuple(pinned))
    second = publisher.files.pop("/v.onnx.json")
    with pytest.raises(FetchFailed, match="404"):
        bench.bring(voice)
    publisher.files["/v.onnx.json"] = second
    publisher.asked.clear()
    bench.bring(voice)
    assert publisher.asked == [("/v.onnx.json", "")]


def test_a_server_without_ranges_begins_anew(bench: Bench, recognition: SpeechModel, publisher: Publisher) -> None:
    publisher.knows_ranges, publisher.cut_after = False, [100_000]
    bench.bring(recognition)
    assert bench.files() == MODEL


@pytest.mark.parametrize("pinned", [True, False])
def test_a_file_that_changed_meanwhile_begins_anew(
    bench: Bench, recognition: SpeechModel, publisher: Publisher, pinned: bool
) -> None:
    old = b"x" * len(ARCHIVE)
    publisher.files["/vosk-de.zip"], publisher.cut_after = old, [100_000, *[0] * 20]
    model = recognition if pinned else unpinned(recognition)
    with pytest.raises(FetchFailed):
        bench.bring(model)
    publisher.files["/vosk-de.zip"], publisher.tag, publisher.cut_after = ARCHIVE, '"2"', []
    bench.bring(model)
    assert bench.files() == MODEL


def test_a_beginning_of_another_file_is_noticed(bench: Bench, recognition: SpeechModel, publisher: Publisher) -> None:
    part = bench.folder / ".fetching" / "vosk-de" / "vosk-de.zip.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 50_000)
    bench.bring(recognition)
    assert [wanted for _, wanted in publisher.asked] == ["bytes=50000-", ""]
    assert bench.files() == MODEL


def test_a_busy_server_is_asked_again(bench: Bench, recognition: SpeechModel, publisher: Publisher) -> None:
    publisher.busy = 2
    bench.bring(recognition)
    assert len(bench.waited) == 2


def test_a_response_without_a_length(bench: Bench, recognition: SpeechModel, publisher: Publisher) -> None:
    publisher.tells_length = False
    bench.bring(unpinned(recognition))
    assert bench.files() == MODEL


@pytest.mark.parametrize("content", [b"", b"<html>Please sign in</html>", ARCHIVE + b"x", ARCHIVE[:-1]])
def test_a_wrong_size_is_refused(bench: Bench, recognition: SpeechModel, publisher: Publisher, content: bytes) -> None:
    publisher.files["/vosk-de.zip"] = content
    with pytest.raises(FetchFailed):
        bench.bring(recognition)
    assert bench.files() == {} or content == b""


def test_more_than_was_said_is_refused(bench: Bench, recognition: SpeechModel, publisher: Publisher) -> None:
    publisher.files["/vosk-de.zip"], publisher.tells_length = ARCHIVE * 2, False
    with pytest.raises(FetchFailed, match="does not end"):
        bench.bring(recognition)
    assert bench.files() == {}


def test_a_wrong_checksum_is_refused(bench: Bench, recognition: SpeechModel, publisher: Publisher) -> None:
    publisher.files["/vosk-de.zip"] = ARCHIVE[:-1] + b"x"
    with pytest.raises(FetchFailed, match=sha256(ARCHIVE)):
        bench.bring(recognition)
    assert bench.files() == {}


def test_what_nobody_pins_must_stay_the_same(bench: Bench, recognition: SpeechModel, publisher: Publisher) -> None:
    model = unpinned(recognition)
    bench.bring(model)
    bench.bring(model)
    assert (bench.folder / "checksums").read_text() == f"{sha256(ARCHIVE)}  {model.files[0].url}\n"
    publisher.files["/vosk-de.zip"] = zipped({**MODEL, "vosk-de/README": b"Another model"})
    with pytest.raises(FetchFailed, match="SHA-256"):
        bench.bring(model)
    assert bench.files() == MODEL


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_told(bench: Bench, recognition: SpeechModel, publisher: Publisher, status: int) -> None:
    publisher.status = status
    with pytest.raises(FetchFailed, match=f"answers {status}"):
        bench.bring(recognition)
    assert bench.files() == {}


def test_another_part_than_was_asked_for(bench: Bench, recognition: SpeechModel, publisher: Publisher) -> None:
    publisher.cut_after, publisher.shift = [1_000], 7
    with pytest.raises(FetchFailed, match="another part"):
        bench.bring(recognition)


def test_redirects(bench: Bench, recognition: SpeechModel, publisher: Publisher) -> None:
    publisher.leads_to = f"{publisher.url}/vosk-de.zip"
    with pytest.raises(FetchFailed, match="TooManyRedirects"):
        bench.bring(recognition)
    secure = replace(recognition.files[0], url="https://publisher.example/vosk-de.zip")

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.scheme == "https":
            return httpx.Response(302, headers={"Location": "http://publisher.example/vosk-de.zip"})
        return httpx.Response(200, content=ARCHIVE)

    with httpx.Client(follow_redirects=True, transport=httpx.MockTransport(answer)) as http:
        shelf = Shelf(bench.folder, http=http, progress=lambda *_: None)
        with pytest.raises(FetchFailed, match="not protected"):
            shelf.bring(replace(recognition, files=(secure,)))
    assert bench.files() == {}


def test_two_at_once_do_not_disturb_each_other(bench: Bench, recognition: SpeechModel, publisher: Publisher) -> None:
    publisher.hold = threading.Event()
    first = threading.Thread(target=bench.bring, args=(recognition,))
    first.start()
    while not publisher.asked:
        time.sleep(0.01)
    with pytest.raises(FetchFailed, match="Another process"):
        bench.bring(recognition)
    publisher.hold.set()
    first.join()
    assert bench.files() == MODEL


def test_too_little_room(bench: Bench, recognition: SpeechModel, publisher: Publisher) -> None:
    with pytest.raises(FetchFailed, match="too little room"):
        bench.bring(replace(recognition, room=10**18))
    assert publisher.asked == []


# --- archives ----------------------------------------------------------------------------------------------------


def with_attributes(name: str, mode: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for model_file, content in MODEL.items():
            archive.writestr(model_file, content)
        member = zipfile.ZipInfo(name)
        member.external_attr = mode << 16
        archive.writestr(member, "/etc/passwd")
    return buffer.getvalue()


def encrypted() -> bytes:
    """Marked as such in every header."""
    content = bytearray(ARCHIVE)
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        start = -1
        while (start := content.find(signature, start + 1)) >= 0:
            content[start + offset] |= 1
    return bytes(content)


def lying() -> bytes:
    """A member that is larger than its headers say."""
    content = bytearray(zipped({**MODEL, "vosk-de/large": bytes(5_000_000)}))
    true = (5_000_000).to_bytes(4, "little")
    while (start := content.find(true)) >= 0:
        content[start : start + 4] = (10).to_bytes(4, "little")
    return bytes(content)


def twice() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, pytest.warns(UserWarning):
        for _ in range(2):
            archive.writestr("vosk-de/am/final.mdl", "x")
    return buffer.getvalue()


HOSTILE = {
    "parent": zipped({**MODEL, "vosk-de/../../escaped": b"x"}),
    "absolute": zipped({**MODEL, "/tmp/escaped": b"x"}),
    "backslash": zipped({**MODEL, "vosk-de\\..\\escaped": b"x"}),
    "link": with_attributes("vosk-de/link", stat.S_IFLNK | 0o777),
    "device": with_attributes("vosk-de/device", stat.S_IFCHR | 0o666),
    "bomb": zipped({**MODEL, "vosk-de/large": bytes(5_000_000)}),
    "lying": lying(),
    "many": zipped({f"vosk-de/{number}": b"" for number in range(10_001)}, compression=zipfile.ZIP_STORED),
    "encrypted": encrypted(),
    "two folders": zipped({**MODEL, "other/file": b"x"}),
    "no folder": zipped({"file": b"x"}),
    "empty": zipped({}),
    "file and folder": zipped({**MODEL, "vosk-de/am": b"x"}),
    "no zip": b"no zip at all" * 100,
    "cut": ARCHIVE[: len(ARCHIVE) // 2],
    "damaged": ARCHIVE.replace(bytes(range(200)), bytes(range(199)) + b"x", 1),
    "another model": zipped({"vosk-de/README": b"x"}),
}


@pytest.mark.parametrize("archive", [*HOSTILE, "twice"])
def test_hostile_and_broken_archives_leave_nothing(
    bench: Bench, recognition: SpeechModel, publisher: Publisher, archive: str, tmp_path: Path
) -> None:
    publisher.files["/vosk-de.zip"] = twice() if archive == "twice" else HOSTILE[archive]
    with pytest.raises(FetchFailed) as failed:
        bench.bring(unpinned(recognition))
    assert "zip" in str(failed.value) or "is no vosk-de" in str(failed.value)
    assert bench.files() == {}
    assert not (bench.folder / "checksums").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["models"]
    assert not Path("/tmp/escaped").exists()


def test_what_was_there_stays_until_the_new_one_is(
    bench: Bench, recognition: SpeechModel, publisher: Publisher
) -> None:
    model = unpinned(recognition)
    bench.bring(model)
    (bench.folder / "checksums").unlink()
    publisher.files["/vosk-de.zip"] = HOSTILE["another model"]
    with pytest.raises(FetchFailed):
        bench.bring(model)
    assert bench.files() == MODEL
    publisher.files["/vosk-de.zip"] = zipped({**MODEL, "vosk-de/README": b"A newer one"})
    bench.bring(model)
    assert bench.files() == {**MODEL, "vosk-de/README": b"A newer one"}


# --- the command -------------------------------------------------------------------------------------------------


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STADTBOT_STATE_FOLDER", str(tmp_path / "state"))
    monkeypatch.setenv("NO_PROXY", "*")
    return tmp_path / "state"


def test_the_command_brings_all_and_tells_licences(
    state: Path, recognition: SpeechModel, voice: SpeechModel, monkeypatch: pytest.MonkeyPatch, publisher: Publisher
) -> None:
    monkeypatch.setattr(models, "RECOGNITION", recognition)
    monkeypatch.setattr(models, "VOICE", voice)
    result = CliRunner().invoke(app, ["models", "fetch"])
    assert result.exit_code == 0, result.output
    assert "vosk-de: ears. Licence: Apache-2.0." in result.stdout
    assert f"SHA-256 {sha256(ARCHIVE)} (as expected)" in result.stdout
    assert "nobody has told us what it should be" in result.stdout
    assert (state / "models" / "vosk-de" / "am" / "final.mdl").exists()
    assert (state / "models" / "v" / "v.onnx").exists()
    publisher.asked.clear()
    result = CliRunner().invoke(app, ["models", "fetch", "recognition", "voice"])
    assert result.exit_code == 0
    assert "vosk-de is here:" in result.stdout
    assert publisher.asked == []
    assert CliRunner().invoke(app, ["models", "fetch", "voice", "--again"]).exit_code == 0
    assert [path for path, _ in publisher.asked] == ["/v.onnx", "/v.onnx.json"]


def test_the_large_model_is_another_one(state: Path, recognition: SpeechModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "LARGE_RECOGNITION", recognition)
    result = CliRunner().invoke(app, ["models", "fetch", "recognition", "--large"])
    assert "vosk-de is here now" in result.stdout


def test_offline_the_command_says_what_to_do(
    state: Path, recognition: SpeechModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = replace(recognition, files=(RemoteFile(f"http://127.0.0.1:{free_port()}/vosk-de.zip"),))
    monkeypatch.setattr(models, "RECOGNITION", nowhere)
    monkeypatch.setattr("stadtbot.downloading.PAUSES_S", (0.0,))
    result = CliRunner().invoke(app, ["models", "fetch", "recognition"])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "is this machine online?" in result.stderr
    assert nowhere.files[0].url in result.stderr
    assert str(state / "models" / "vosk-de") in result.stderr


def test_an_interrupted_command_can_be_repeated(state: Path, recognition: SpeechModel, publisher: Publisher) -> None:
    publisher.cut_after = [100_000, *[0] * 50]
    code = (
        "import sys, dataclasses; from stadtbot import models; from stadtbot.cli import app;"
        "from stadtbot.downloading import RemoteFile;"
        f"models.RECOGNITION = dataclasses.replace(models.RECOGNITION, name='vosk-de', room=2_000_000, files=("
        f"RemoteFile({recognition.files[0].url!r}, {len(ARCHIVE)}, {sha256(ARCHIVE)!r}),));"
        "app(['models', 'fetch', 'recognition'])"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.DEVNULL) as command:
        part = state / "models" / ".fetching" / "vosk-de" / "vosk-de.zip.part"
        while command.poll() is None and (not part.exists() or part.stat().st_size < 100_000):
            time.sleep(0.02)
        command.kill()
    assert not (state / "models" / "vosk-de").exists()
    publisher.cut_after.clear()
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
    assert publisher.asked[-1][1] == "bytes=100000-"
    assert (state / "models" / "vosk-de" / "am" / "final.mdl").exists()


def test_publishers_are_asked_over_tls_and_what_is_known_is_pinned() -> None:
    for model in (models.RECOGNITION, models.LARGE_RECOGNITION, models.VOICE):
        assert model.licence
        assert all(file.url.startswith("https://") for file in model.files)
    for model in (models.RECOGNITION, models.VOICE):
        assert all(file.size and len(file.sha256 or "") == 64 for file in model.files)
