"""A plugin of somebody else that has an option of one of our names."""

from __future__ import annotations

from typing import Final

import pytest

NAME: Final = "other_plugin"
ORDERS: Final = ("before ours", "after ours")
"""When pytest loads it: from its command line, or from its environment."""

ADDING: Final = """
def pytest_addoption(parser):
    parser.getgroup("other", "Another plugin").addoption({arguments})
"""


def write_plugin(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    order: str,
    *names: str,
    more: str = "",
) -> list[str]:
    """Write the plugin and see to its being loaded.

    Args:
        pytester: where it is written.
        monkeypatch: takes its name out of the environment again.
        order: one of `ORDERS`.
        names: the option's.
        more: further arguments for `addoption`, as Python spells them.

    Returns:
        Arguments for pytest.
    """
    arguments = ", ".join([*map(repr, names), *filter(None, [more])])
    pytester.makepyfile(**{NAME: ADDING.format(arguments=arguments)})
    pytester.syspathinsert()
    if order == "before ours":
        return ["-p", NAME]
    monkeypatch.setenv("PYTEST_PLUGINS", NAME)
    return []
