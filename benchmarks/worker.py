"""The process that measures: a JSON question on standard input, a JSON answer on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from benchmarks import chain, engines, event_path

RUNS: dict[str, Callable[..., dict[str, Any]]] = {
    "chain": chain.measure,
    "hold": event_path.hold,
    "bare": event_path.bare_hold,
    "draws": event_path.draws,
    "profile": event_path.profile,
    "native": engines.native,
    "hooked": engines.hooked,
    "cores": engines.cores,
    "live": engines.live,
    "admission": engines.admission,
}


def main() -> None:
    question = json.load(sys.stdin)
    print(json.dumps(RUNS[question.pop("run")](**question)))


if __name__ == "__main__":
    main()
