"""The networks and workloads that come with the package."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from quantum_fabric.documents.reading import compose, read_text

FOLDER: Final = Path(__file__).parent / "bundled"


@dataclass(frozen=True, slots=True)
class BundledNetwork:
    """One network that comes with the package.

    Attributes:
        name: by which `quantum_fabric.documents.load_network` finds it.
        title: one line for people.
        description: what it is, and what of it is assumed.
        workloads: names of its workloads for `quantum_fabric.documents.load_workload`; the first is the default one.
    """

    name: str
    title: str
    description: str
    workloads: tuple[str, ...]


def bundled() -> list[BundledNetwork]:
    """List the bundled networks by name.

    Examples:
        >>> [entry.name for entry in bundled()]
        ['barcelona', 'boston', 'campus', 'chicago', 'delft-the-hague', 'frankfurt-kehl', 'germany50', 'hefei-star', 'lab', \
'malta-sicily', 'metro-star', 'micius', 'munich', 'vienna-bratislava']
        >>> next(entry for entry in bundled() if entry.name == "chicago").workloads
        ('chicago', 'chicago-cut')
    """
    return [_entry(FOLDER / f"{name}.yaml") for name in networks()]


def networks() -> list[str]:
    """List the names of the bundled networks.

    Examples:
        >>> "chicago" in networks()
        True
    """
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def workloads() -> list[str]:
    """List the names of the bundled workloads.

    Examples:
        >>> "chicago-cut" in workloads()
        True
    """
    return sorted(path.stem for path in (FOLDER / "workloads").glob("*.yaml"))


def path_of(path_or_name: str | Path) -> Path:
    """Find the file of a bundled network or workload, or take the argument as a path.

    Where a network and a workload have the same name, this is the network; `workload_path_of` prefers the workload. A file
    whose name is the same as a bundled one is meant by ``./lab``.

    Examples:
        >>> path_of("lab").name, path_of("./lab").name, path_of("chicago-cut").parent.name
        ('lab.yaml', 'lab', 'workloads')
    """
    name = str(path_or_name)
    if isinstance(path_or_name, str):
        if name in networks():
            return FOLDER / f"{name}.yaml"
        if name in workloads():
            return FOLDER / "workloads" / f"{name}.yaml"
    return Path(path_or_name)


def workload_path_of(path_or_name: str | Path) -> Path:
    """As `path_of`, where a workload is wanted."""
    name = str(path_or_name)
    if isinstance(path_or_name, str) and name in workloads():
        return FOLDER / "workloads" / f"{name}.yaml"
    return path_of(path_or_name)


@cache
def _entry(path: Path) -> BundledNetwork:
    data = compose(read_text(path), path.name)[0].plain()
    names = [name for name in workloads() if name == path.stem or name.startswith(f"{path.stem}-")]
    return BundledNetwork(path.stem, data["title"], " ".join(data["description"].split()), tuple(names))
