"""Waiting for something to become true, with a failure that says what was seen instead."""

import time

import httpx


def wait_for(fn, timeout, message, interval=0.1):
    """Calls fn until it returns something true, which is returned.

    A failed assertion or a lost connection inside fn counts as "not yet". After `timeout` seconds
    the test fails with `message` and with what fn returned or raised last.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            seen = fn()
            if seen:
                return seen
        except (AssertionError, httpx.TransportError) as error:
            seen = error
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout} s: {message}; last seen: {seen!r:.2000}")
        time.sleep(interval)
