"""Alerts and dashboard: made of metrics that exist, right for promtool, firing when they should."""

import json
import re
import subprocess

import yaml

import matrix
from chart import CHART, named
from controlplane import REPOSITORY

ALERTS = CHART / "files" / "alerts.yaml"
RULES_TEST = REPOSITORY / "tests" / "helm" / "alerts_test.yaml"
METRIC = re.compile(r"\b(deepgram_operator_\w+|workqueue_\w+|process_\w+)\b")


def alerts():
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"]
            for rule in group["rules"]]


def panels():
    return json.loads((CHART / "files" / "dashboard.json").read_text())["panels"]


def expressions():
    return ([rule["expr"] for rule in alerts()]
            + [target["expr"] for panel in panels() for target in panel["targets"]])


def promtool(*args):
    return subprocess.run(["promtool", *map(str, args)], capture_output=True, text=True)


def test_every_metric_exists():
    sources = REPOSITORY / "controller" / "operator"
    known = {name for file in ("metrics.c", "resource_series.c", "process.c")
             for name in METRIC.findall((sources / file).read_text())}
    used = {name for expression in expressions() for name in METRIC.findall(expression)}
    assert len(used) > 10
    missing = {name for name in used if re.sub(r"_(bucket|sum|count)$", "", name) not in known}
    assert missing == set()


class TestAlerts:
    def test_check(self):
        done = promtool("check", "rules", "--lint-fatal", ALERTS)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_fire_when_they_should(self):
        done = promtool("test", "rules", RULES_TEST)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_each_is_tested_and_says_what_to_do(self):
        tests = yaml.safe_load(RULES_TEST.read_text())["tests"]
        tested = {case["alertname"] for test in tests for case in test["alert_rule_test"]
                  if case.get("exp_alerts")}
        sections = set(re.findall(r"^## (\w+)$", (CHART / "RUNBOOK.md").read_text(), re.MULTILINE))
        assert {rule["alert"] for rule in alerts()} == tested == sections
        for rule in alerts():
            assert rule["labels"].keys() == {"severity"}
            assert rule["annotations"].keys() == {"summary", "description"}

    def test_rendered_ones_link_to_the_runbook(self, helm):
        rendered = named(helm.render(matrix.MATRIX["service monitor"]), "PrometheusRule")
        rules = rendered["spec"]["groups"][0]["rules"]
        assert [rule["annotations"].pop("runbook_url") for rule in rules] == [
            f"https://runbooks.example.com/deepgram#{rule['alert'].lower()}" for rule in alerts()]
        assert rules == alerts()


class TestDashboard:
    def test_every_query_is_one(self, tmp_path):
        records = [{"record": f"panel:{index}", "expr": target["expr"].replace("$job", ".*")}
                   for panel in panels() for index, target in enumerate(panel["targets"])]
        rules = tmp_path / "panels.yaml"
        groups = [{"name": str(index), "rules": [record]} for index, record in enumerate(records)]
        rules.write_text(yaml.safe_dump({"groups": groups}))
        done = promtool("check", "rules", "--lint=none", rules)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_panels_say_what_they_show_and_do_not_overlap(self):
        places = set()
        for panel in panels():
            assert panel["title"] and panel["description"]
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            assert not cells & places and place["x"] + place["w"] <= 24
            places |= cells

    def test_config_map_holds_it(self, helm):
        rendered = named(helm.render(matrix.MATRIX["service monitor"]), "ConfigMap")
        assert rendered["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert json.loads(rendered["data"]["deepgram-operator.json"])["panels"] == panels()
