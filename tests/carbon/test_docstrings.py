"""Every public docstring of the package shows an example, and the example runs."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import carbon

MODULES = ["carbon", *(f"carbon.{module.name}" for module in pkgutil.iter_modules(carbon.__path__))]


def public_names(module):
    """Yield (name, object) of what the module defines in public: functions, classes, methods."""
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        yield name, thing
        if inspect.isclass(thing):
            for member, method in vars(thing).items():
                if not member.startswith("_") and isinstance(method, property | type(public_names)):
                    yield f"{name}.{member}", method


@pytest.mark.parametrize("name", MODULES)
def test_every_public_docstring_shows_an_example(name):
    module = importlib.import_module(name)
    bare = [public for public, thing in public_names(module) if ">>>" not in (thing.__doc__ or "")]
    assert bare == []


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docstrings_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
