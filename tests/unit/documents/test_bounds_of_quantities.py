"""Lengths and times that no network has are refused like any other wrong quantity."""

from __future__ import annotations

import pytest

from quantum_fabric.documents import parse_document
from quantum_fabric.errors import DocumentError

NETWORK = """\
kind: network
version: 1
title: t
nodes: [{{name: A}}, {{name: B}}]
links:
  - {{between: [A, B], length: {length}}}
"""


@pytest.mark.parametrize("length", ["1e300 km", "41001 km"])
def test_no_fibre_is_longer_than_the_way_around_the_earth(length: str) -> None:
    with pytest.raises(DocumentError, match=r"length of at most 4\.1e"):
        parse_document(NETWORK.format(length=length), "long.yaml")


def test_a_long_fibre_is_allowed() -> None:
    parse_document(NETWORK.format(length="40000 km"), "long.yaml")


def test_no_run_lasts_a_thousand_years() -> None:
    text = "kind: workload\nversion: 1\nduration: 400000 d\nrequests: []\n"
    with pytest.raises(DocumentError, match="time of at most"):
        parse_document(text, "slow.yaml")
