"""Secrets out of every report, traceback, warning and log before anybody else sees it.

Reports are masked where they are made, in a worker of pytest-xdist too, so that the terminal,
pytest's own JUnit XML, pytest-html and our record all get the same text. What is written past them
(under `-s`, by progress, by live logs) goes through a stream that masks it. An error of our own is
shown by its message, hint and evidence instead of a traceback through the machinery.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import ExitStack
from typing import Any

import pytest

from nova_acceptance import masking
from nova_acceptance.errors import NovaError
from nova_acceptance.masked_stream import masked_output, masked_stream

_HANDLERS = ("caplog_handler", "report_handler", "log_cli_handler", "log_file_handler")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shorten and mask the report of a phase."""
    report = yield
    _clean(report, call, item.config)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Shorten and mask the report of a collection."""
    report = yield
    _clean(report, getattr(report, "call", None), collector.config)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_internalerror(excrepr: object) -> None:
    """Mask an error of the machinery."""
    mask_in_place(excrepr)


@pytest.hookimpl(tryfirst=True)
def pytest_warning_recorded(warning_message: Any) -> None:
    """Mask a warning."""
    text = str(warning_message.message)
    if (clean := masking.mask(text)) != text:
        warning_message.message = UserWarning(clean)


def pytest_configure(config: pytest.Config) -> None:
    """Mask what is written to standard output and standard error until the end of all."""
    stack = ExitStack()
    stack.enter_context(masked_output())
    config.add_cleanup(stack.close)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Mask what pytest's terminal writes, and what every handler of its logging does.

    Not earlier: pytest makes them when all other plugins are configured.
    """
    manager = session.config.pluginmanager
    writer = getattr(manager.get_plugin("terminalreporter"), "_tw", None)
    if writer is not None:
        writer._file = masked_stream(writer._file)
    capturing = getattr(manager.get_plugin("capturemanager"), "_global_capturing", None)
    for capture in (getattr(capturing, "out", None), getattr(capturing, "err", None)):
        # the streams of before, to which pytest goes back while it captures nothing
        _mask_attribute(capture, "_old", session.config)
        _mask_attribute(getattr(capture, "syscapture", None), "_old", session.config)
        # and to which it writes with tee-sys what it captures
        _mask_attribute(getattr(capture, "tmpfile", None), "_other", session.config)
    plugin = manager.get_plugin("logging-plugin")
    for name in _HANDLERS:
        handler = getattr(plugin, name, None)
        if isinstance(handler, logging.Handler):
            handler.addFilter(masking.MaskingFilter())


def _mask_attribute(holder: Any, name: str, config: pytest.Config) -> None:
    """Have a stream masked that is kept in an attribute, until the end of all."""
    stream = getattr(holder, name, None)
    if stream is not None:
        setattr(holder, name, masked_stream(stream))
        config.add_cleanup(lambda: setattr(holder, name, stream))


def _clean(report: Any, call: pytest.CallInfo[Any] | None, config: pytest.Config) -> None:
    excinfo = call.excinfo if call else None
    error = excinfo.value if excinfo else None
    if excinfo and isinstance(error, NovaError) and report.failed and not config.option.fulltrace:
        short = excinfo.getrepr(style="value", chain=False)
        if short.reprcrash is not None:
            short.reprcrash.message = f"{type(error).__name__}: {error.message}"
        report.longrepr = short
    report.longrepr = mask_in_place(report.longrepr)
    report.sections = [(masking.mask(name), masking.mask(text)) for name, text in report.sections]
    if hasattr(report, "user_properties"):
        report.user_properties = [
            (masking.mask(str(name)), masking.masked(value))
            for name, value in report.user_properties
        ]
    if hasattr(report, "wasxfail"):
        report.wasxfail = masking.mask(report.wasxfail)


def mask_in_place(value: Any) -> Any:
    """Mask pytest's representation of an error, keeping its structure and so its colours."""
    if isinstance(value, str):
        return masking.mask(value)
    if isinstance(value, list):
        return [mask_in_place(each) for each in value]
    if isinstance(value, tuple):
        return tuple(mask_in_place(each) for each in value)
    if type(value).__module__.startswith("_pytest.") and hasattr(value, "__dict__"):
        for name, attribute in vars(value).items():
            setattr(value, name, mask_in_place(attribute))
    return value
