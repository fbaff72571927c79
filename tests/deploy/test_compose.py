"""The compose file and the image, read: no container engine is needed, and none was at hand."""

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from django.conf import settings

from sequence_portal import custody
from sequence_portal import settings as product
from tests.stack import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DESIGN = ROOT / "docs" / "design.md"
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "sequence-portal"}
# Of the Compose Specification, github.com/compose-spec/compose-spec; its licence stands beside it.
SCHEMA = json.loads((Path(__file__).parent / "compose-spec.json").read_text(encoding="utf-8"))


def queues(service: dict[str, Any]) -> frozenset[str]:
    command = service.get("command", [])
    return frozenset(command[command.index("-Q") + 1].split(",")) if "-Q" in command else frozenset()


def holding(secret: str) -> set[str]:
    return {name for name, service in SERVICES.items() if secret in service.get("secrets", [])}


def test_it_is_a_compose_file() -> None:
    validator = jsonschema_rs.validator_for(SCHEMA)
    assert [str(error) for error in validator.iter_errors(COMPOSE)] == []
    wrong = COMPOSE | {"services": SERVICES | {"web": SERVICES["web"] | {"comand": ["gunicorn"]}}}
    assert not validator.is_valid(wrong)


def test_it_has_a_worker_of_its_own_for_each_queue() -> None:
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    workers = [queues(service) for service in OURS.values() if queues(service)]
    assert sorted(map(sorted, workers)) == sorted(
        [queue] for queue in {*routed, settings.CELERY_TASK_DEFAULT_QUEUE, "sweeps"}
    )


def test_it_mounts_each_secret_where_it_is_needed_and_nowhere_else() -> None:
    opening = {name for name, service in OURS.items() if queues(service) & custody.QUEUES_THAT_OPEN_SECRETS}
    linking = {name for name, service in OURS.items() if custody.QUEUE_THAT_LINKS in queues(service)}
    assert holding("seal_private_keys") == opening == {"check-worker", "sweep-worker"}
    assert holding("audit_key") == linking == {"chore-worker"}
    assert holding("postgres_password") == {"postgres"}
    table = re.findall(r"^\| ([\w, ]+) \| ([\w ]+) \| ([\w ]+) \|", DESIGN.read_text(encoding="utf-8"), re.M)
    told = {name.replace(" ", "-"): holds for names, *holds in table for name in names.split(", ")}
    assert {name for name, (private, _) in told.items() if private == "yes"} == opening
    assert {name for name, (_, audit) in told.items() if audit == "yes"} == linking
    for name, service in SERVICES.items():
        environment = service.get("environment", {})
        named = {
            value.removeprefix("/run/secrets/")
            for variable, value in environment.items()
            if variable.endswith("_FILE") and variable != "ALIVE_FILE"
        }
        assert named == set(service.get("secrets", [])), name
        assert not environment.keys() & {"SEAL_PRIVATE_KEYS", "AUDIT_KEY", "SECRET_KEY"}, name


def test_it_finds_every_secret_that_the_script_makes(tmp_path: Path) -> None:
    script = [str(ROOT / "scripts" / "secrets"), str(tmp_path), "--", sys.executable]
    subprocess.run(script, check=True, capture_output=True, cwd=ROOT)
    made = {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()}
    assert made.keys() == COMPOSE["secrets"].keys()
    assert {name for name, value in made.items() if not value} == {"email_url"}, "only a person knows it"
    assert made["postgres_password"] in made["database_url"]
    assert all(file.stat().st_mode & 0o077 == 0 for file in tmp_path.iterdir())

    (tmp_path / "metrics_token").unlink()
    again = subprocess.run(script, check=True, capture_output=True, text=True, cwd=ROOT)
    assert "made" in again.stdout
    kept = {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()}
    assert {name for name in made if kept[name] != made[name]} == {"metrics_token"}


def test_it_tells_of_every_service_whether_it_lives() -> None:
    without = {name for name, service in SERVICES.items() if "healthcheck" not in service}
    assert without == {"migrate"}, "which ends, and whose end the others wait for"


@pytest.mark.parametrize(
    ("service", "longest"), [("check-worker", product.CHECK_CLAIM), ("mail-worker", product.MAIL_CLAIM)]
)
def test_it_lets_a_worker_finish_the_longest_task(service: str, longest: timedelta) -> None:
    assert int(SERVICES[service]["stop_grace_period"].removesuffix("s")) > longest.total_seconds()


def test_it_runs_nothing_of_ours_as_root_or_with_rights() -> None:
    stages = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.M)[1:]
    assert len(stages) == 2
    assert re.findall(r"^USER (\S+)", stages[-1], flags=re.M) == ["portal"]
    assert "pip install" not in stages[-1]
    for service in OURS.values():
        assert (service["cap_drop"], service["read_only"]) == (["ALL"], True)


def test_it_puts_every_file_into_the_image_that_a_process_starts_with() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    there = {line.removeprefix("!") for line in lines if line.startswith("!")}
    commands = [
        word
        for service in OURS.values()
        for word in (*service["command"], *service.get("healthcheck", {}).get("test", []))
    ]
    files = {word.rpartition("=./")[2] for word in commands if word.endswith(".py")}
    assert files <= there
    assert {"gunicorn.conf.py", "flowerconfig.py", "requirements.txt"} <= there
    packages = {
        app.partition(".")[0] for app in settings.INSTALLED_APPS if (ROOT / app.partition(".")[0]).is_dir()
    }
    assert packages - {"tests"} <= there
