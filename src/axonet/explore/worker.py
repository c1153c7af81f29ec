"""A process of its own that holds the model: what it chokes on does not take the server along, and it can be ended."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from axonet.core.errors import UserError

STARTING_S = 120.0  # loading torch, the model and the text encoder, on a slow disk


@dataclass(frozen=True)
class Uploaded:
    """What is known of a neuron that was brought along.

    Attributes:
        name: of the neuron.
        vector: ``(d,)`` unit vector.
        skeleton: its bytes.
        views: WebP pictures.
        measures: morphometrics that are defined.
        warnings: quality codes.
    """

    name: str
    vector: npt.NDArray[np.float32]
    skeleton: bytes
    views: list[bytes]
    measures: dict[str, float]
    warnings: tuple[str, ...]


class Worker:
    """Embeds texts and SWC files, one at a time, in a process that is started when it is first needed.

    Args:
        checkpoint: Stage 2 checkpoint.
        fingerprint: of the model that made the vectors; another one is refused.
        timeout_s: a task that takes longer is given up, and the process ended.
        target: what the process runs; for tests.
    """

    def __init__(
        self,
        checkpoint: Path,
        fingerprint: str,
        timeout_s: float = 60.0,
        target: Callable[[Connection, str, str], None] | None = None,
    ) -> None:
        self._arguments = (str(checkpoint), fingerprint)
        self._timeout = timeout_s
        self._target = target or serve
        self._lock = threading.Lock()
        self._process: Any = None
        self._connection: Connection | None = None

    def embed_text(self, text: str) -> npt.NDArray[np.float32]:
        """Unit vector of a text.

        Raises:
            UserError: there is no model or text encoder, or it took too long.
        """
        vector: npt.NDArray[np.float32] = self._ask("text", text)
        return vector

    def embed_swc(self, name: str, data: bytes) -> Uploaded:
        """Everything about a neuron.

        Raises:
            UserError: these bytes are no reconstruction, there is no model, or it took too long.
        """
        found: Uploaded = self._ask("swc", (name, data))
        return found

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._stop()

    def _ask(self, kind: str, payload: object) -> Any:
        with self._lock:
            connection = self._connected()
            try:
                connection.send((kind, payload))
                if not connection.poll(self._timeout):
                    self._stop()
                    raise UserError(f"given up after {self._timeout:.0f} seconds")
                ok, value = connection.recv()
            except (EOFError, BrokenPipeError, ConnectionResetError):
                self._stop()
                raise UserError("the process that reads neurons has ended; it may have run out of memory") from None
        if not ok:
            raise UserError(value)
        return value

    def _connected(self) -> Connection:
        """The pipe to a process that is ready."""
        if self._connection is None or not self._process.is_alive():
            self._stop()
            context = multiprocessing.get_context("spawn")
            self._connection, theirs = context.Pipe()
            self._process = context.Process(target=self._target, args=(theirs, *self._arguments), daemon=True)
            self._process.start()
            theirs.close()
            if not self._connection.poll(STARTING_S):
                self._stop()
                raise UserError(f"the model was not loaded within {STARTING_S:.0f} seconds")
            try:
                ok, reason = self._connection.recv()
            except EOFError:
                ok, reason = False, "the process that loads the model has ended"
            if not ok:
                self._stop()
                raise UserError(reason)
        return self._connection

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None


def serve(connection: Connection, checkpoint: str, fingerprint: str) -> None:
    """Load the model, then answer until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    from axonet.inference.embed import load_model
    from axonet.morphology.swc import SWCError
    from axonet.rendering.errors import RenderError

    try:
        model = load_model(checkpoint)
        if model.fingerprint != fingerprint:
            raise UserError(f"{checkpoint} is another model than the one that made the vectors; export again")
    except (UserError, ModuleNotFoundError) as error:
        connection.send((False, str(error)))
        return
    connection.send((True, ""))
    while True:
        try:
            kind, payload = connection.recv()
        except EOFError:
            return
        try:
            answer = model.embed_text([payload])[0] if kind == "text" else look_at(model, *payload)
            connection.send((True, answer))
        except (UserError, SWCError, RenderError) as error:
            connection.send((False, str(error)))


def look_at(model: Any, name: str, data: bytes) -> Uploaded:
    """Read, measure, draw and embed the bytes of an SWC file.

    Raises:
        SWCError: no reconstruction.
        RenderError: it cannot be drawn.
    """
    from axonet.core.config import load_settings
    from axonet.explore.pictures import VIEW, view_picture
    from axonet.explore.skeleton import skeleton_bytes
    from axonet.morphology.swc import neuron_name, parse_swc
    from axonet.rendering.render import render_neuron
    from axonet.rendering.settings import RenderSettings

    neuron = parse_swc(data, neuron_name(name), source=name)
    vector = model.embed([neuron])[0]
    size = {"width": 2 * VIEW, "height": 2 * VIEW, "canonical_views": 3, "biased_views": 0, "random_views": 0}
    frame = {"adaptive_framing": True, "margin": 0.1, "zoom_um": None, "min_qc": 0.0}
    views = render_neuron(neuron, load_settings(RenderSettings, {**size, **frame}, "upload"))
    measures = {key: float(value) for key, value in neuron.morphometrics().items() if np.isfinite(value)}
    pictures = [view_picture(view.mask, view.depth_image(8), VIEW) for view in views]
    return Uploaded(neuron.name, vector, skeleton_bytes(neuron), pictures, measures, neuron.warnings)
