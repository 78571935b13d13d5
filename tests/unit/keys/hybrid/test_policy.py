"""Fail closed by default; anything less is said in the policy."""

from __future__ import annotations

import itertools

import pytest

from quantum_fabric.errors import InputError
from quantum_fabric.keys import Refusal
from quantum_fabric.keys.hybrid import HybridPolicy, ParameterSet, Sources, WhenDown, choose


def test_the_whole_table() -> None:
    for qkd_rule, kem_rule, qkd, kem in itertools.product(WhenDown, WhenDown, (False, True), (False, True)):
        found = choose(HybridPolicy(when_qkd_down=qkd_rule, when_kem_down=kem_rule), qkd, kem)
        if qkd and kem:
            assert found is Sources.BOTH
        elif kem and qkd_rule is WhenDown.OTHER_ALONE:
            assert found is Sources.KEM_ALONE
        elif qkd and kem_rule is WhenDown.OTHER_ALONE:
            assert found is Sources.QKD_ALONE
        else:
            assert isinstance(found, Refusal)
            assert found.status == 503


def test_the_default_refuses_whatever_is_down() -> None:
    for qkd, kem in ((False, True), (True, False), (False, False)):
        assert isinstance(choose(HybridPolicy(), qkd, kem), Refusal)


def test_different_policies_have_different_texts() -> None:
    many = [
        HybridPolicy(*rest)
        for rest in itertools.product(ParameterSet, WhenDown, WhenDown, (128, 256), (128, 256))
    ]
    assert len({one.text for one in many}) == len(many)


@pytest.mark.parametrize("bits", [0, 8, 120, 129, 8200, -256])
@pytest.mark.parametrize("name", ["qkd_bits", "key_bits"])
def test_sizes(name: str, bits: int) -> None:
    with pytest.raises(InputError, match=name):
        HybridPolicy(**{name: bits})
