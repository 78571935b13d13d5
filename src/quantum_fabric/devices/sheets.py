"""Named devices: data sheets with the source of every number.

A sheet lies in ``sheets/<kind>/<name>.yaml``. Each of its numbers carries a letter of provenance:

====== =====================================================================================================
letter meaning
====== =====================================================================================================
S      found in the primary text (abstract, caption, publisher's record)
R      found in a secondary text (a later paper, comments in public code, a summary)
M      recalled, unverified: it may parametrise a model, it is never presented as a fact
C      computed from other numbers
P      projected: assumed here
D      holds by definition
====== =====================================================================================================

A sheet is ``published`` (one experiment or product), ``tuned`` (one experiment, with numbers chosen so that a model gives its
results), ``recalled`` (a device that exists, every number from memory), ``projected`` (an assumption, or records of different devices
combined, which nobody has shown in one) or ``ideal``.
"""

# ruff: noqa: D418 - the house asks every public function for a docstring, overloads included.

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, Literal, overload

from quantum_fabric.devices.detector import Detector
from quantum_fabric.devices.emitter import Emitter
from quantum_fabric.devices.fibre import Fibre
from quantum_fabric.devices.kinds import KINDS, RECORDS, Profile
from quantum_fabric.devices.node import Node
from quantum_fabric.devices.page import Provenance, Sheet, read_page
from quantum_fabric.devices.pair_source import PairSource
from quantum_fabric.devices.source import Source
from quantum_fabric.devices.station import Station
from quantum_fabric.devices.transducer import Transducer
from quantum_fabric.devices.weak_pulse import WeakPulse
from quantum_fabric.errors import QuantityError, UnknownNameError


@overload
def sheet(kind: Literal["node"], name: str) -> Node:
    """Data sheet of a node."""


@overload
def sheet(kind: Literal["fibre"], name: str) -> Fibre:
    """Data sheet of a fibre."""


@overload
def sheet(kind: Literal["detector"], name: str) -> Detector:
    """Data sheet of a detector."""


@overload
def sheet(kind: Literal["source"], name: str) -> Source:
    """Data sheet of a pair source."""


@overload
def sheet(kind: Literal["pair_source"], name: str) -> PairSource:
    """Data sheet of a source of pairs by down-conversion."""


@overload
def sheet(kind: Literal["emitter"], name: str) -> Emitter:
    """Data sheet of an emitter of single photons."""


@overload
def sheet(kind: Literal["weak_pulse"], name: str) -> WeakPulse:
    """Data sheet of a sender of weak pulses."""


@overload
def sheet(kind: Literal["station"], name: str) -> Station:
    """Data sheet of a station."""


@overload
def sheet(kind: Literal["transducer"], name: str) -> Transducer:
    """Data sheet of a transducer."""


@overload
def sheet(kind: Literal["profile"], name: str) -> Profile:
    """Sheets that go together."""


@overload
def sheet(kind: str, name: str) -> Any:
    """Data sheet of any kind."""


@cache
def sheet(kind: str, name: str) -> Any:
    """Fetch a named device or profile.

    Args:
        kind: one of `KINDS`, such as ``"node"``.
        name: of a sheet of that kind.

    Returns:
        The record (frozen, so it may be shared).

    Raises:
        UnknownNameError: no such kind or name.

    Examples:
        >>> sheet("fibre", "smf-28").attenuation
        0.0002
        >>> sheet("profile", "tomorrow")
        Traceback (most recent call last):
        ...
        quantum_fabric.errors.UnknownNameError: profile: found 'tomorrow', expected one of future, ideal, lab-best, today
    """
    if kind != "profile":
        return data_sheet(kind, name).record
    written = _written(kind, name)
    names = {key: str(written[key]) for key in ("node", "fibre", "detector", "architecture", "status")}
    return Profile(**names, source=str(written.get("source", "")), modes=int(written["modes"]))


def sheets(kind: str | None = None) -> tuple[str, ...]:
    """List the names of the sheets, sorted.

    Args:
        kind: one of `KINDS`; None for all, as ``kind/name``.

    Raises:
        UnknownNameError: no such kind.

    Examples:
        >>> sheets("profile")
        ('future', 'ideal', 'lab-best', 'today')
        >>> "node/nv-electron" in sheets()
        True
    """
    if kind is None:
        return tuple(f"{kind}/{name}" for kind in KINDS for name in sheets(kind))
    if kind not in KINDS:
        raise UnknownNameError(repr(kind), f"one of {', '.join(KINDS)}", "kind of sheet")
    folder = resources.files("quantum_fabric.devices") / "sheets" / kind
    files = folder.iterdir() if folder.is_dir() else ()
    return tuple(sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml")))


def provenance(kind: str, name: str) -> dict[str, Provenance]:
    """Where each number of a sheet comes from.

    Args:
        kind: one of `KINDS`.
        name: of a sheet of that kind.

    Returns:
        Dotted field name -> provenance; empty for a profile, which holds no numbers of its own.

    Raises:
        UnknownNameError: no such kind or name.

    Examples:
        >>> provenance("node", "neutral-atom")["memory.t2"].letter
        'S'
    """
    return dict(data_sheet(kind, name).numbers) if kind != "profile" else {}


def title(kind: str, name: str) -> str:
    """What a sheet describes, in one line.

    Raises:
        UnknownNameError: no such kind or name.

    Examples:
        >>> title("fibre", "ull")
        'Ultra-low-loss fibre around 1550 nm'
    """
    return str(_written(kind, name)["title"])


def status(kind: str, name: str) -> str:
    """Say whether a sheet is ``published``, ``projected`` or ``ideal``.

    Raises:
        UnknownNameError: no such kind or name.

    Examples:
        >>> status("node", "future"), status("node", "trapped-ion")
        ('projected', 'published')
    """
    return str(_written(kind, name)["status"])


def citation(kind: str, name: str) -> str:
    """The one experiment or product that a published device sheet describes.

    Raises:
        UnknownNameError: no such kind or name.

    Examples:
        >>> citation("node", "nv-electron")
        'Humphreys et al., Nature 558, 268 (2018), arXiv:1712.07567'
    """
    return str(_written(kind, name).get("cite", ""))


@cache
def data_sheet(kind: str, name: str) -> Sheet:
    """A device sheet whole: its record, and where each number comes from.

    Args:
        kind: a key of `RECORDS`.
        name: of a sheet of that kind.

    Raises:
        UnknownNameError: no such kind or name.

    Examples:
        >>> data_sheet("node", "trapped-ion").status
        'published'
    """
    if kind == "profile":
        raise UnknownNameError(repr(kind), f"one of {', '.join(RECORDS)}", "kind of device sheet")

    def refuse(place: tuple[str | int, ...], found: str, expected: str) -> None:
        raise QuantityError(found, expected, f"{kind} {name}.{'.'.join(map(str, place))}")

    made = read_page(_written(kind, name), refuse, kind)
    assert made is not None, "a fault was raised"
    return made


@cache
def _written(kind: str, name: str) -> dict[str, Any]:
    """The sheet as it is written."""
    known = sheets(kind)
    if name not in known:
        raise UnknownNameError(repr(name), f"one of {', '.join(known)}", kind)
    from ruamel.yaml import YAML

    text = (resources.files("quantum_fabric.devices") / "sheets" / kind / f"{name}.yaml").read_text("utf-8")
    written: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return written
