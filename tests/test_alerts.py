"""The alert rules: that they fire and are silent when they should, and that each can be understood."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.test import Client

from telemetry import tallies
from telemetry.models import What
from telemetry.tallies import Counted

OPS = Path(settings.BASE_DIR) / "ops"
GROUPS = yaml.safe_load((OPS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
RUNBOOK = Path(settings.BASE_DIR) / "docs" / "operations.md"


@pytest.mark.parametrize("told", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts.test.yml")])
def test_it_fires_when_it_should_and_is_silent_when_all_is_well(told: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; it comes with Debian's package prometheus.")
    done = subprocess.run([promtool, *told], cwd=OPS, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.django_db
def test_it_names_only_figures_that_there_are(client: Client) -> None:
    tallies.count(Counted(What.CHECK, "bybit", "accepted"), Counted(What.MAIL, "welcome", "failed"))
    named = {name for rule in RULES for name in re.findall(r"portal_\w+", rule["expr"])}
    told = client.get("/metrics").content.decode()
    declared = set(re.findall(r"^# TYPE (\w+)", told, re.MULTILINE))
    samples = set(re.findall(r"^(portal_\w+)(?:\{| )", told, re.MULTILINE))
    assert named <= declared | samples, named - declared - samples


def test_it_has_a_section_of_the_runbook_for_each_alert_and_for_none_that_is_gone() -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^#### (\w+)\n(.*?)(?=^#)", text, re.MULTILINE | re.DOTALL))
    assert list(sections) == [rule["alert"] for rule in RULES]
    for name, section in sections.items():
        for part in ("Means:", "Look at:", "Do:"):
            assert part in section, f"{name}: {part}"
