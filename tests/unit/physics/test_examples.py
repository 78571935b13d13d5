"""Every public function of this room says how it is used, and the example runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

from quantum_fabric import physics

PREFIX = f"{physics.__name__}."
MODULES = sorted(  # a package's own page is only its purpose
    info.name.removeprefix(PREFIX)
    for info in pkgutil.walk_packages(physics.__path__, PREFIX)
    if not info.ispkg
)


def public(module):
    for name, thing in vars(module).items():
        if (
            (inspect.isfunction(thing) or inspect.isclass(thing))
            and thing.__module__ == module.__name__
            and name[0] != "_"
        ):
            yield name, thing


@pytest.mark.parametrize("name", MODULES)
def test_public_functions_carry_an_example(name):
    module = importlib.import_module(f"quantum_fabric.physics.{name}")
    missing = [
        thing
        for thing, value in public(module)
        if inspect.isfunction(value) and ">>>" not in (value.__doc__ or "")
    ]
    assert missing == []


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name):
    result = doctest.testmod(importlib.import_module(f"quantum_fabric.physics.{name}"))
    assert result.attempted > 0
    assert result.failed == 0
