"""One OpenVINO graph on the CPU, with an inference request a thread: what encoder and reranker are run by."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILE = "openvino_model.xml"

_first = threading.Lock()


class Graph:
    """The graph in ``folder``, compiled for short answers. Safe to use from several threads, ``threads`` at once.

    ``wanted`` names operations whose results are handed out as well, after the graph's own, where it has them all.
    Raises RuntimeError or OSError when the files are missing or damaged.
    """

    def __init__(self, folder: Path, *, threads: int, wanted: Sequence[str] = ()) -> None:
        import openvino  # takes a third of a second to import; tools that only look at files do without

        core = openvino.Core()
        graph = core.read_model(folder / FILE)
        operations = {operation.get_friendly_name(): operation for operation in graph.get_ops()} if wanted else {}
        self.inside = len(wanted) if all(name in operations for name in wanted) else 0
        """How many results from inside are handed out."""
        if self.inside:
            graph.add_outputs([operations[name].output(0) for name in wanted])
        self._outputs = len(graph.outputs)
        self._model = core.compile_model(
            graph,
            "CPU",
            {
                "PERFORMANCE_HINT": "LATENCY",
                # One thread an inference: two share a text of twenty tokens at half as much again of processor time.
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": threads,
                # Rasa and others use the same cores; a thread bound to one waits there while another core is idle.
                "ENABLE_CPU_PINNING": False,
                # Newer processors would take bf16: slower for one short text, and vectors differ between machines.
                "INFERENCE_PRECISION_HINT": "f32",
            },
        )
        self._own = threading.local()
        # OpenVINO's bindings set up tables of their own at the first answer, for which they let go of the interpreter's
        # lock and take it back: two threads that come to it at the same moment wait for each other for ever. So the
        # first answer of every graph is made here, by one thread.
        with _first:
            self.infer({part.any_name: _blank(part) for part in self._model.inputs})

    def infer(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """The graph's results for ``inputs``; they are overwritten by this thread's next call, so copy what is kept."""
        request = getattr(self._own, "request", None)
        if request is None:
            request = self._own.request = self._model.create_infer_request()
        answer = request.infer(inputs)
        return [answer[i] for i in range(self._outputs)]


def _blank(part: Any) -> NDArray[Any]:
    """The smallest input that ``part`` takes, all ones."""
    shape = [1 if length.is_dynamic else length.get_length() for length in part.partial_shape]
    return np.ones(shape, part.element_type.to_dtype())
