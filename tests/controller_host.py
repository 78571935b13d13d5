"""A controller in a process of its own, with its journal on disk: asked and answered over pipes, and killed at the worst moments.

`Host` is the other side: it stands in a `Post` where the controller's seat stands, and starts the process again when it is killed.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from quantum_fabric.control.recovery import Journal
from quantum_fabric.messages import ControllerRecovered, Letter, Receipt, Wake
from quantum_fabric.ops.controller_log import FileLog
from quantum_fabric.units import Time

KEY = b"of this controller"
MOMENTS = ("before it is written", "half written", "written and not acted on", "acted on and not told")


class Torn(FileLog):
    """A file of which the process is killed in the middle of a write."""

    torn = False

    def _write(self, file: int, data: bytes) -> None:
        if Torn.torn:
            os.write(file, data[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        super()._write(file, data)


def serve(path: Path, start: Path) -> None:
    """The process: come back from the journal, or begin, and answer."""
    seat, fixed = pickle.loads(start.read_bytes())
    log = Torn(path, KEY)
    replayed, unsaid, wakes = 0, [], []
    if log.read()[0]:
        former = Journal.reopened(log, fixed)
        replayed = former.inputs
        seat, wakes = former.restored()
        unsaid = former.unsaid
    journal = Journal(seat, fixed, wakes, every=200, log=log)
    _send(sys.stdout.buffer, (seat.endpoint.life, replayed, unsaid, wakes))
    while (asked := _receive(sys.stdin.buffer)) is not None:
        message, now, moment = asked
        if message == "leases":
            _send(sys.stdout.buffer, seat.decider.ledger.leases())
            continue
        if moment == MOMENTS[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        journal.write(message, now)
        if moment == MOMENTS[2]:
            log.sync()
            os.kill(os.getpid(), signal.SIGKILL)
        actions = seat.handle(message, now)
        Torn.torn = moment == MOMENTS[1]
        journal.acted(seat, message, actions)
        Torn.torn = False
        if moment == MOMENTS[3]:
            os.kill(os.getpid(), signal.SIGKILL)
        _send(sys.stdout.buffer, actions)


def _send(pipe: Any, thing: Any) -> None:
    data = pickle.dumps(thing)
    pipe.write(len(data).to_bytes(8, "big") + data)
    pipe.flush()


def _receive(pipe: Any) -> Any:
    head = pipe.read(8)
    return pickle.loads(pipe.read(int.from_bytes(head, "big"))) if len(head) == 8 else None


class Host:
    """Stands where the controller's seat stands.

    Args:
        seat, fixed: the controller as it is before its first input.
        folder: for the journal.
        choose: says at which moment the process is to be killed while it answers this message; "" for not at all.
    """

    def __init__(self, seat: Any, fixed: Any, folder: Path, choose: Callable[[Any], str]) -> None:
        self._path, self._start = folder / "controller.log", folder / "start"
        self._start.write_bytes(pickle.dumps((seat, fixed)))
        self._choose = choose
        self.kills: list[str] = []
        self.endpoint = SimpleNamespace(life=1)
        self._process: Any = None
        self._launch()

    def _launch(self) -> tuple[int, int, list[Any], list[Any]]:
        command = [sys.executable, __file__, str(self._path), str(self._start)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        came: tuple[int, int, list[Any], list[Any]] = _receive(self._process.stdout)
        return came

    def _tell(self, message: Any, now: Time, moment: str = "") -> Any:
        _send(self._process.stdin, (message, now, moment))
        return _receive(self._process.stdout)

    def handle(self, message: Any, now: Time, notice: Any = None) -> Any:
        """What the process answers; where it is killed meanwhile, what it does when it lives again."""
        moment = self._choose(message) if isinstance(message, Letter | Receipt | Wake) else ""
        actions = self._tell(message, now, moment)
        if actions is not None:
            return actions
        assert self._process.wait() == -signal.SIGKILL
        self._process.stdin.close()
        self._process.stdout.close()
        self.kills.append(moment)
        life, replayed, unsaid, wakes = self._launch()
        self.endpoint.life = life + 1
        return [*unsaid, *wakes, *self._tell(ControllerRecovered(life + 1, replayed), now)]

    def leases(self) -> list[Any]:
        """What its ledger has lent."""
        found: list[Any] = self._tell("leases", 0)
        return found

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]))
