"""Every public function of the key-rate room says how it is used, and the example runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

from quantum_fabric.physics import qkd

MODULES = sorted(info.name for info in pkgutil.iter_modules(qkd.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_public_functions_carry_an_example(name):
    module = importlib.import_module(f"quantum_fabric.physics.qkd.{name}")
    missing = [
        thing
        for thing, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and thing[0] != "_"
        and ">>>" not in (value.__doc__ or "")
    ]
    assert missing == []


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name):
    result = doctest.testmod(importlib.import_module(f"quantum_fabric.physics.qkd.{name}"))
    assert result.attempted > 0
    assert result.failed == 0
