"""Work on an existing Dask cluster: ``--cluster tcp://HOST:PORT``. Needs the extra ``cluster``.

Dask keeps what a lost worker was doing and gives it to another one. Every worker must have this version of the package and of
Python; that is asked before anything is handed out. Whoever can reach a scheduler on ``tcp://`` can run code on its workers, so
such an address belongs inside a network of one's own; ``tls://`` takes its certificates from Dask's configuration.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from quantum_fabric import __version__
from quantum_fabric.errors import FabricError, InputError, StateError
from quantum_fabric.studies.executors import AHEAD, Do, Rows
from quantum_fabric.studies.work import Chunk, Order, work

PATIENCE: Final = "10s"
"""How long a scheduler may take to answer."""

MISSING: Final = "the package distributed: pip install 'quantum-fabric[cluster]'"


def identity() -> tuple[str, str]:
    """What a worker runs.

    Examples:
        >>> identity()[0] == __version__
        True
    """
    return __version__, platform.python_version_tuple()[0] + "." + platform.python_version_tuple()[1]


class DaskCluster:
    """A client of a Dask cluster.

    Args:
        address: of its scheduler.
        do: what is done with a chunk; a function of a module that the workers have.

    Raises:
        InputError: Dask is not installed, the cluster is away, has no workers, or workers of another version.
    """

    def __init__(self, address: str, do: Do = work) -> None:
        if find_spec("distributed") is None:
            raise InputError("nothing", MISSING, "--cluster")
        distributed: Any = import_module("distributed")

        self.address = address
        self.do = do
        try:
            self._client: Any = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            found = f"no answer at {address} ({reason})"
            raise InputError(found, "a running Dask scheduler; nothing was lost", "--cluster") from None
        self._seen()

    def _seen(self) -> None:
        """See that there are workers and that they are of one mind with us."""
        try:
            said = self._client.run(identity)
        except Exception as error:
            self.close()
            found = f"workers that cannot run the package ({type(error).__name__}: {error})"
            raise InputError(found, f"workers with quantum-fabric {__version__}", "--cluster") from None
        wrong = {worker: versions for worker, versions in said.items() if versions != identity()}
        if wrong or not said:
            self.close()
            found = (
                "no workers"
                if not said
                else "; ".join(f"{w} with {v} on Python {p}" for w, (v, p) in wrong.items())
            )
            version, python = identity()
            expected = f"workers with quantum-fabric {version} on Python {python}"
            raise InputError(found, expected, "--cluster")
        self.workers = max(1, sum(self._client.nthreads().values()))

    def run(self, order: Order, chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, Rows]]:
        """A few chunks ahead for each worker; Dask does again what a lost worker had.

        Raises:
            InputError: a point makes no sense.
            StateError: the cluster went away.
        """
        distributed: Any = import_module("distributed")
        waiting = iter(chunks)
        handed: dict[Any, Chunk] = {}

        def hand(limit: int) -> list[Any]:
            fresh = []
            for chunk in waiting:
                future = self._client.submit(self.do, order, chunk, pure=False)
                handed[future.key] = chunk
                fresh.append(future)
                if len(handed) >= limit:
                    break
            return fresh

        try:
            finished = distributed.as_completed(hand(AHEAD * self.workers), loop=self._client.loop)
            for future in finished:
                rows = future.result(timeout=600)
                yield handed.pop(future.key), rows
                for fresh in hand(AHEAD * self.workers):
                    finished.add(fresh)
        except (FabricError, GeneratorExit):
            raise
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            told = str(error).splitlines()[0] if str(error) else "no word"
            raise StateError(
                f"the cluster at {self.address} failed ({type(error).__name__}: {told}); what was finished is kept: start the "
                "study again, here or there, and it goes on from there"
            ) from error

    def close(self) -> None:
        """Leave the cluster as it was."""
        self._client.close(timeout=2)
