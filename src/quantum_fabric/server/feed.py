"""The sending end of a supply of keys: where a source delivers, as whom, and again until it is answered."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from quantum_fabric.errors import DocumentError, Finding, StateError
from quantum_fabric.keys import Block
from quantum_fabric.server.caller import Caller, CallError
from quantum_fabric.server.supply_api import PATH, written

PAUSES: Final = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between attempts: a KME that restarts is waited for."""


class Feed(BaseModel):
    """A feed document."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["feed"]
    kme: str
    url: Annotated[str, Field(pattern=r"^https://[A-Za-z0-9.\-\[\]:]+$")]
    """Of its listener for sources."""
    certificate: Path
    key: Path
    authority: Path
    """The CA of the KMEs, PEM."""


def read_feed(path: Path) -> Feed | None:
    """Read a feed document; None where the file is one of another kind.

    Raises:
        DocumentError: it is a feed, and a field of it is wrong.
        OSError: it cannot be read.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        fields: Any = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeError):
        return None  # whoever reads settings says more
    if not isinstance(fields, dict) or fields.get("kind") != "feed":
        return None
    try:
        feed = Feed.model_validate(fields)
    except ValidationError as error:
        findings = [
            Finding(str(path), 0, ".".join(map(str, one["loc"])), "something else", one["msg"])
            for one in error.errors(include_input=False, include_url=False)
        ]
        raise DocumentError(findings) from None
    files = {name: path.parent / getattr(feed, name) for name in ("certificate", "key", "authority")}
    return feed.model_copy(update=files)


def deliver(feed: Feed, blocks: list[Block]) -> int:
    """Deliver blocks, each until it is answered: one that was taken before is not taken again.

    Args:
        feed: where, and as whom.
        blocks: no larger than `supply_api.LARGEST_DELIVERY`; wiped as they are taken.

    Returns:
        Octets that were new to the KME.

    Raises:
        StateError: it refuses a block, or does not answer. Those before it were taken; all of them may be delivered again.
    """
    caller = Caller(feed.url, feed.certificate, feed.key, feed.authority)
    new = 0
    try:
        for block in blocks:
            taken = _delivered(caller, block, feed.kme)
            block.material.wipe()
            new += taken
    finally:
        caller.close()
    return new


def _delivered(caller: Caller, block: Block, kme: str) -> int:
    fields = written(block, block.provenance.source)
    for pause in (*PAUSES, None):
        try:
            said = caller.post("/" + "/".join(PATH), fields)
        except CallError as error:
            caller.close()
            why = str(error)
        else:
            if said.status == 200:
                return int(said.fields.get("taken", 0))
            why = f"{said.status} {said.fields.get('message', '')}"
            if said.status != 503:
                break
        if pause is not None:
            time.sleep(pause)
    raise StateError(f"{kme} does not take block {block.name}: {why}")
