"""For maintainers: write the lock of the parameter files anew, ``python -m quantum_fabric.validation.freezing``.

Commit the changed parameter file and the lock together and say why: the history of both is the evidence that nothing was tuned
to a result in silence. Users have no command for this.
"""

from __future__ import annotations

from pathlib import Path

from quantum_fabric.validation.frozen import DATA, LOCK, digest


def freeze(folder: Path = DATA) -> str:
    """Write the lock anew; returns its text.

    Args:
        folder: of the parameter files.

    Examples:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "a.yaml").write_text("name: a")
        >>> freeze(folder).split()[1]
        'a.yaml'
    """
    text = "".join(f"{digest(path)}  {path.name}\n" for path in sorted(folder.glob("*.yaml")))
    (folder / LOCK).write_text(text, encoding="utf-8")
    return text


if __name__ == "__main__":
    print(freeze(), end="")
