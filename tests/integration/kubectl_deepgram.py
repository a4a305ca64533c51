"""`kubectl deepgram`: the operator's binary under its other name."""

import json
import os
import subprocess

import operator_process


class Plugin:
    """Runs it with the kubeconfig and the emulator's address, and looks for secret values in all that
    it says."""

    def __init__(self, directory, kubeconfig, emulator):
        self.directory = directory
        self.kubeconfig = kubeconfig
        self.emulator = emulator
        self.program = directory / "kubectl-deepgram"
        if not self.program.is_symlink():
            self.program.symlink_to(operator_process.BINARY)

    def __call__(self, *args, code=0, kubeconfig=None, kubectl=None, url=None):
        """Its CompletedProcess; `kubectl` runs it as that program's plugin."""
        command = [kubectl, "deepgram"] if kubectl else [self.program]
        flags = [f"--kubeconfig={kubeconfig or self.kubeconfig}"]
        if args and args[0] in ("orphans", "doctor"):
            flags.append(f"--deepgram-url={url or self.emulator.url}")
        done = subprocess.run(
            [*command, *map(str, args), *flags], capture_output=True, text=True, timeout=60,
            env={**os.environ, "PATH": f"{self.directory}:{os.environ['PATH']}"})
        said = done.stdout + done.stderr
        assert done.returncode == code, f"{args} ended with {done.returncode}, not {code}:\n{said}"
        assert not operator_process.SANITIZER_REPORT.search(said), said
        state = self.emulator.state()
        for value in (*(key["key"] for key in state["keys"]),
                      *(entry["secret"] for entry in state["distribution_credentials"])):
            assert value not in said, "a secret value was printed"
        return done

    def json(self, *args, **how):
        return json.loads(self(*args, "-o", "json", **how).stdout)
