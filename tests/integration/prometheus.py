"""A real Prometheus that scrapes one target twice a second, and promtool."""

import subprocess

import httpx
import yaml

from polling import wait_for
from process import Process, free_port

JOB = "deepgram-operator"


def check_metrics(text):
    """What promtool finds wrong with a page, "" for nothing."""
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else ""


class Prometheus(Process):
    def __init__(self, target_url, directory):
        self.url = f"http://127.0.0.1:{free_port()}"
        config = directory / "prometheus.yaml"
        config.write_text(yaml.safe_dump({"scrape_configs": [{
            "job_name": JOB, "scrape_interval": "500ms",
            "static_configs": [{"targets": [target_url.removeprefix("http://")]}]}]}))
        super().__init__("prometheus", [
            "prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address={self.url.removeprefix('http://')}"], directory / "prometheus.log")

    def __enter__(self):
        self.start()
        wait_for(self.scrapes, 30, "Prometheus scrapes")
        return self

    def __exit__(self, *_):
        self.kill()

    def scrapes(self):
        """How many there were."""
        self.check_running()
        found = self.query(f'count_over_time(up{{job="{JOB}"}}[1h]) > 0')
        return int(found[0]) if found else 0

    def wait_scrapes(self, count):
        target = self.scrapes() + count
        wait_for(lambda: self.scrapes() >= target, 20, f"{count} more scrapes")

    def query(self, expression):
        """The values of the series that it gives now; those that are no number left out."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, trust_env=False)
        assert answer.is_success, f"{expression}: {answer.text}"
        values = [float(series["value"][1]) for series in answer.json()["data"]["result"]]
        return [value for value in values if value == value]
