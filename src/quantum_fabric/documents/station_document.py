"""How a document writes down a heralding station that several links share."""

from __future__ import annotations

from pydantic import Field

from quantum_fabric.documents.fields import Count, Delay, Entry, Name, Text


class SharedStationEntry(Entry):
    """A heralding station that several links share: each of them takes one of its analysers while it runs."""

    name: Name = Field(description="a name, unique among the stations")
    place: Text | None = Field(None, description="where it stands, for people")
    analysers: Count = Field(1, description="links that it can herald at the same time")
    switching: Delay | None = Field(
        None, description="time to connect an analyser to another link; none without it", examples=["2 ms"]
    )
    dead_time: Delay | None = Field(
        None,
        description="after the last click of one link before its detectors may click for another; as their sheets say without it",
    )
    note: Text | None = None
