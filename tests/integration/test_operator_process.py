"""The harness around the operator must notice what it is there to notice; shown on a stand-in."""

import sys
import textwrap

import pytest

import operator_process
from operator_process import Metrics, OperatorProcess
from process import ProcessEnded

STAND_IN = textwrap.dedent("""\
    #!{python}
    import http.server, os, signal, sys
    options = dict(flag.removeprefix("--").partition("=")[::2] for flag in sys.argv[1:])
    print(options.get("say", ""), file=sys.stderr, flush=True)
    if "exit-at-start" in options:
        sys.exit(7)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(int(options.get("exit-code", "0"))))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'# TYPE x gauge\\nx{{kind="a"}} 2\\nx{{kind="b",q="\\\\""}} 3\\n')

    host, port = options["listen"].split(":")
    http.server.HTTPServer((host, int(port)), Handler).serve_forever()
    """)


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    binary = tmp_path / "stand-in"
    binary.write_text(STAND_IN.format(python=sys.executable))
    binary.chmod(0o755)
    monkeypatch.setattr(operator_process, "BINARY", binary)
    monkeypatch.setattr(operator_process, "WRAPPER", [])
    started = []

    def start(*flags):
        process = OperatorProcess(tmp_path / "kubeconfig", tmp_path / "log", flags)
        started.append(process)
        return process.start()

    yield start
    for process in started:
        process.kill()


def test_clean_end_is_accepted(stand_in):
    stand_in().stop()


def test_measures_the_process(stand_in):
    process = stand_in()
    assert process.rss_kib() > process.anonymous_kib() > 0
    assert 0 <= process.cpu_seconds() < 10


def test_metrics_are_summed_over_the_labels_not_named(stand_in):
    metrics = stand_in().metrics()
    assert metrics.value("x") == 5
    assert metrics.value("x", kind="a") == 2
    assert metrics.value("x", q='\\"') == 3
    assert metrics.value("y") is None


@pytest.mark.parametrize("line, value", [
    ("x 1", 1),
    ('x{l="a b,}"} 1.5e3', 1500),
])
def test_sample_lines(line, value):
    assert Metrics(line).value("x") == value


def test_exit_code_other_than_zero_fails(stand_in):
    with pytest.raises(AssertionError, match="ended with 3"):
        stand_in("--exit-code=3").stop()


def test_end_at_the_start_fails_with_the_log(stand_in):
    with pytest.raises(ProcessEnded, match="(?s)ended with 7.*bad flag"):
        stand_in("--exit-at-start", "--say=bad flag")


def test_end_that_nobody_asked_for_fails(stand_in):
    process = stand_in()
    operator_process.Process.kill(process)  # as the kernel might
    with pytest.raises(ProcessEnded):
        process.stop()


def test_expected_end_gives_the_exit_code(stand_in):
    process = stand_in("--exit-code=4")
    process._child.terminate()
    assert process.wait_exit() == 4


@pytest.mark.parametrize("report", [
    "==1==ERROR: AddressSanitizer: heap-use-after-free",
    "==1==ERROR: LeakSanitizer: detected memory leaks",
    "main.c:1:2: runtime error: signed integer overflow",
    "==12== ERROR SUMMARY: 2 errors from 1 contexts",
])
def test_sanitizer_report_fails(stand_in, report):
    with pytest.raises(AssertionError, match="sanitizer report"):
        stand_in(f"--say={report}").stop()


def test_valgrind_without_errors_is_no_report(stand_in):
    stand_in("--say===12== ERROR SUMMARY: 0 errors from 0 contexts").stop()


def test_secret_in_the_log_fails_without_repeating_it(stand_in):
    process = stand_in("--say=token=hunter2")
    with pytest.raises(AssertionError) as failure:
        process.check_secrets(["absent", "hunter2"])
    assert "[1]" in str(failure.value) and "hunter2" not in str(failure.value)
