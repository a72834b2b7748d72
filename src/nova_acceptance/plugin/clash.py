"""Options of the same name that another plugin has.

pytest does not keep who added an option. So each plugin's hook is called once more, with a parser
that only listens; this happens when the run is about to end anyway.
"""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


class Listener:
    """Stands for a parser and for its groups, and notes what is added.

    Attributes:
        options: the option, by its name with dashes and by the name of its value.
    """

    def __init__(self) -> None:
        self.options: dict[str, str] = {}

    def getgroup(self, *_: object, **__: object) -> Listener:
        """Return itself: options of all groups share their names."""
        return self

    def addini(self, *_: object, **__: object) -> None:
        """Do nothing: an ini option is no option."""

    def addoption(self, *names: str, dest: str | None = None, **_: object) -> None:
        """Note an option."""
        first = next((name for name in names if name.startswith("--")), names[0])
        self.options[dest or first.lstrip("-").replace("-", "_")] = first
        self.options |= {name: name for name in names}


def added_by(add: Callable[..., object], **more: object) -> Mapping[str, str]:
    """Return the options that a function adds to the parser it is given.

    Args:
        add: takes the argument `parser`; one that wants more of it than to add options is heard
            up to there.
        more: other arguments, for a function that takes them.
    """
    listener = Listener()
    with suppress(Exception):
        offered = {"parser": listener, **more}
        wanted = inspect.signature(add).parameters
        add(**{name: value for name, value in offered.items() if name in wanted})
    return listener.options


@contextmanager
def told(config: pytest.Config, ours: Mapping[str, str]) -> Iterator[None]:
    """Tell of an option that another plugin has too, in one sentence.

    Args:
        config: pytest's configuration.
        ours: the options to be added, as `added_by` returns them.

    Raises:
        pytest.UsageError: there is such an option; the message names it and the plugin.
    """
    try:
        yield
    # The one is argparse's, the other pytest's own; pytest before 9 leaves it to argparse.
    except (argparse.ArgumentError, ValueError) as error:
        plugins = config.pluginmanager
        for name, plugin in plugins.list_name_plugin():
            add = getattr(plugin, "pytest_addoption", None)
            theirs = added_by(add, pluginmanager=plugins) if callable(add) else {}
            if common := ours.keys() & theirs.keys():
                taken = min(common)  # a name with dashes, if there is one
                said = _sentence(config, ours[taken], theirs[taken], plugin, name)
                raise pytest.UsageError(said) from error
        raise


def _sentence(config: pytest.Config, option: str, other: str, plugin: object, name: str) -> str:
    what = "an option of this name" if other == option else f"{other}, whose value has this name"
    if Path(name).name == "conftest.py":
        return f"{option}: {name} adds {what}, too; give it another one there"
    packages = [
        distribution.project_name
        for each, distribution in config.pluginmanager.list_plugin_distinfo()
        if each is plugin
    ]
    who = f"{packages[0]} (plugin {name})" if packages else f"the plugin {name}"
    return f"{option}: {who} has {what}, too; run without it: -p no:{name}"
