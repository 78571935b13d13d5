"""Frames as algebra; that they are the right algebra is checked against density matrices in tests/oracles."""

from __future__ import annotations

import itertools

import pytest

from quantum_fabric.errors import UnknownNameError
from quantum_fabric.physics import frames
from quantum_fabric.physics.correlators import measured
from quantum_fabric.physics.noise import NOISELESS

LABELS = range(4)


def test_swap_frames_do_not_depend_on_the_order_of_swaps():
    for a, b, c, m, n in itertools.product(LABELS, repeat=5):
        left_first = frames.swap_frame(frames.swap_frame(a, b, m), c, n)
        right_first = frames.swap_frame(a, frames.swap_frame(b, c, n), m)
        assert left_first == right_first
        assert left_first in LABELS


def test_an_outcome_that_is_announced_twice_cancels():
    assert frames.swap_frame(0, 0, 3) ^ 3 == 0


@pytest.mark.parametrize("kind", ["dejmps", "bbpssw"])
def test_purify_frame_is_linear(kind):
    """Frames are errors: the frame of a sum is the sum of the frames, which is why relative labels work at all."""
    for k1, s1, k2, s2 in itertools.product(LABELS, repeat=4):
        one, two = frames.purify_frame(kind, k1, s1), frames.purify_frame(kind, k2, s2)
        both = frames.purify_frame(kind, k1 ^ k2, s1 ^ s2)
        assert both == (one[0] ^ two[0], one[1] ^ two[1])


def test_dejmps_exchanges_phi_minus_and_psi_minus():
    assert [frames.purify_frame("dejmps", label, 0)[0] for label in LABELS] == [0, 3, 2, 1]
    assert [frames.purify_frame("dejmps", label, 0)[1] for label in LABELS] == [0, 1, 1, 0]


def test_bbpssw_compares_parities_and_adds_phases():
    table = {pair: frames.purify_frame("bbpssw", *pair) for pair in itertools.product(LABELS, LABELS)}
    assert all(flip == (a ^ b) >> 1 for (a, b), (_, flip) in table.items())
    assert all(frame == (a & 2) | ((a ^ b) & 1) for (a, b), (frame, _) in table.items())


@pytest.mark.parametrize("kind", ["dejmps", "bbpssw"])
def test_half_of_all_label_pairs_expect_equal_bits(kind):
    flips = [frames.purify_frame(kind, a, b)[1] for a in LABELS for b in LABELS]
    assert (flips.count(0), flips.count(1)) == (8, 8)


@pytest.mark.parametrize("kind", ["", "Dejmps", "epl"])
def test_unknown_protocol(kind):
    with pytest.raises(UnknownNameError) as caught:
        frames.purify_frame(kind, 0, 0)
    assert caught.value.where == "kind"


def test_teleporting_over_a_perfect_phi_plus_corrects_by_the_outcome():
    assert [frames.PAULI[frames.teleport_correction(0, outcome)] for outcome in LABELS] == [
        "I",
        "Z",
        "X",
        "Y",
    ]


@pytest.mark.parametrize("basis", ["X", "Y", "Z"])
def test_perfect_pairs_show_the_expected_parity(basis):
    for label in LABELS:
        bits = measured((1.0, 1.0, 1.0), label, basis, NOISELESS, NOISELESS)
        odd = bits[1] + bits[2]
        assert odd == frames.expected_parity(basis, label)


def test_unknown_basis():
    with pytest.raises(UnknownNameError, match="'X', 'Y' or 'Z'"):
        frames.expected_parity("x", 0)


@pytest.mark.parametrize("axes", frames.AXES)
def test_turning_labels_is_a_permutation_and_linear(axes):
    assert sorted(frames.turned_label(label, axes) for label in LABELS) == list(LABELS)
    for a, b in itertools.product(LABELS, LABELS):
        assert frames.turned_label(a ^ b, axes) == frames.turned_label(a, axes) ^ frames.turned_label(b, axes)


@pytest.mark.parametrize("rotation", list(itertools.product(frames.AXES, repeat=2)))
def test_frames_are_linear_under_any_rotation(rotation):
    for k, s in itertools.product(LABELS, LABELS):
        frame, flip = frames.purify_frame("dejmps", k, s, rotation)
        one, two = (
            frames.purify_frame("dejmps", k, 0, rotation),
            frames.purify_frame("dejmps", 0, s, rotation),
        )
        assert (frame, flip) == (one[0] ^ two[0], one[1] ^ two[1])


def test_axes_that_there_are_not():
    with pytest.raises(UnknownNameError, match="one of xyz") as caught:
        frames.purify_frame("dejmps", 0, 0, ("xyz", "xxz"))
    assert caught.value.where == "rotation"
