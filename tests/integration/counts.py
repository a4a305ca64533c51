"""Hooks for a conftest.py: they append a line "passed failed skipped" to the file $TEST_COUNTS.

The Makefile adds the lines of all suites up. Each test counts once, with its worst outcome; an
error in a fixture or in collecting a file counts as failed.
"""

import os

WORST_LAST = ("passed", "skipped", "failed")
_outcomes = {}


def _note(nodeid, outcome):
    _outcomes[nodeid] = max(_outcomes.get(nodeid, "passed"), outcome, key=WORST_LAST.index)


def pytest_runtest_logreport(report):
    _note(report.nodeid, report.outcome)


def pytest_collectreport(report):
    if report.outcome != "passed":
        _note(report.nodeid, report.outcome)


def pytest_sessionfinish(session):
    """Of pytest-xdist's processes only the first counts: the others report to it."""
    path = os.environ.get("TEST_COUNTS")
    if path and not hasattr(session.config, "workerinput"):
        outcomes = list(_outcomes.values())
        with open(path, "a", encoding="utf-8") as counts:
            print(*(outcomes.count(kind) for kind in ("passed", "failed", "skipped")), file=counts)
