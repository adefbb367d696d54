"""Speech or not: Silero's voice activity detection, by ONNX Runtime on the file in silero-vad's wheel.

The package itself is not imported, since it would bring torch. Inputs are as its `utils_vad.OnnxWrapper` gives them:
windows of 256 samples at 8 kHz, each preceded by the last 32 samples of the one before, and a recurrent state.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from telephony.audio import RATE
from telephony.errors import ModelMissing

WINDOW_SAMPLES = 256
WINDOW_MS = 32
_WINDOW_BYTES = 2 * WINDOW_SAMPLES
_CONTEXT_SAMPLES = 32
_STATE_SHAPE = (2, 1, 128)
_RATE = np.array(RATE, np.int64)
_FILE = "silero_vad/data/silero_vad.onnx"


def model_file() -> Path:
    """Where the installed distribution keeps the model.

    Raises:
        ModelMissing: the distribution or its file is not there.
    """
    try:
        file = Path(str(distribution("silero-vad").locate_file(_FILE)))
    except PackageNotFoundError as error:
        raise ModelMissing("The package silero-vad is not installed.") from error
    if not file.is_file():
        raise ModelMissing(f"The installed silero-vad has no {_FILE}.")
    return file


class VadModel:
    """The network, which all calls share; it is safe to use from several threads."""

    def __init__(self, file: Path | None = None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            str(file or model_file()), sess_options=options, providers=["CPUExecutionProvider"]
        )

    def run(
        self, samples: npt.NDArray[np.float32], state: npt.NDArray[np.float32]
    ) -> tuple[float, npt.NDArray[np.float32]]:
        """Probability of speech in one window with its context, and the state after it."""
        inputs = {"input": samples[None, :], "state": state, "sr": _RATE}
        probability, state = self._session.run(None, inputs)
        return float(probability[0, 0]), state


class Vad:
    """Listens to one call."""

    def __init__(self, model: VadModel) -> None:
        self._model = model
        self.reset()

    def reset(self) -> None:
        """Forget what has been heard."""
        self._state = np.zeros(_STATE_SHAPE, np.float32)
        self._window = np.zeros(_CONTEXT_SAMPLES + WINDOW_SAMPLES, np.float32)
        self._rest = b""
        self._latest = 0.0

    def windows(self, samples: bytes) -> list[float]:
        """Probability of speech for each window of 32 ms that is complete now."""
        samples = self._rest + samples
        whole = len(samples) - len(samples) % _WINDOW_BYTES
        self._rest = samples[whole:]
        return [self._hear(samples[start : start + _WINDOW_BYTES]) for start in range(0, whole, _WINDOW_BYTES)]

    def speech(self, frame: bytes) -> float:
        """Probability of speech in the latest complete window."""
        self.windows(frame)
        return self._latest

    def _hear(self, window: bytes) -> float:
        self._window[:_CONTEXT_SAMPLES] = self._window[-_CONTEXT_SAMPLES:]
        self._window[_CONTEXT_SAMPLES:] = np.frombuffer(window, "<i2")
        self._window[_CONTEXT_SAMPLES:] /= 32_768
        self._latest, self._state = self._model.run(self._window, self._state)
        return self._latest
