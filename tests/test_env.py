"""What is missing or wrong in the environment stops the start with one clear line."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from apikeys.vault import generate_pair

ROOT = Path(__file__).resolve().parent.parent
PRIVATE, PUBLIC = generate_pair()
COMPLETE = {
    "PATH": os.environ["PATH"],
    "SECRET_KEY": "a-random-text-for-the-tests-only-0123456789-0123456789",
    "FINGERPRINT_KEY": "another-random-text-0123456789-0123456789",
    "CODE_KEY": "a-third-random-text-0123456789-0123456789",
    "SEAL_PUBLIC_KEYS": PUBLIC,
    "EMAIL_URL": "smtp://127.0.0.1:2525",
}
SETTINGS = ("-c", "from sequence_portal import settings; print(settings.SECRET_KEY)")
WEB = ("-c", "import sequence_portal.wsgi")
CELERY = ("-m", "celery", "-A", "sequence_portal")
WORKER = (*CELERY, "worker", "-Q")
GUNICORN = ("-m", "gunicorn", "--bind", "127.0.0.1:0", "sequence_portal.wsgi")
BEAT = (*CELERY, "beat", "--scheduler", "celery.beat:Scheduler")
FLOWER = (*CELERY, "flower", "--port=0")


def start(*command: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Start a process with the complete environment, changed by name; None leaves a variable out."""
    environ = {name: value for name, value in (COMPLETE | changes).items() if value is not None}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refusal(*command: str, **changes: str | None) -> str:
    """The one line with which the start was refused."""
    ended = start(*command, **changes)
    assert ended.returncode == 1
    assert ended.stdout == "" or command == BEAT  # which has said what it is by then
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, ended.stderr
    assert lines[0].startswith("sequence_portal does not start: ")
    return lines[0]


def test_it_starts_with_what_is_required_alone() -> None:
    ended = start(*SETTINGS)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "FINGERPRINT_KEY", "CODE_KEY", "SEAL_PUBLIC_KEYS", "EMAIL_URL"]
)
@pytest.mark.parametrize("value", [None, ""])
def test_it_names_what_is_missing(name: str, value: str | None) -> None:
    assert f"{name} is not set" in refusal(*SETTINGS, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EXCHANGE_BASE_URLS", "http://127.0.0.1:8001"),
        ("EXCHANGE_BASE_URLS", '{"binance": 1}'),
        ("EXCHANGE_BASE_URLS", '{"binance": "ftp://127.0.0.1"}'),
        ("EXCHANGE_BASE_URLS", '{"binance": "https://"}'),
        ("PARTNER_APPS", "[]"),
        ("PORTAL_EGRESS_IPS", "203.0.113.10,localhost"),
        ("TRUSTED_PROXIES", "one"),
        ("DNS_SERVERS", "192.0.2.53:53, dns.example:53"),
        ("DATABASE_URL", "mysql://portal:password@127.0.0.1:3306/portal"),
        ("DATABASE_URL", "portal:password@127.0.0.1:5432/portal"),
    ],
)
def test_it_names_what_is_wrong(name: str, value: str) -> None:
    line = refusal(*SETTINGS, **{name: value})
    assert name in line
    assert value not in line


@pytest.mark.parametrize("host", ["exchange.example", "10.0.0.7", "127.0.0.1.example", "[2001:db8::1]:8001"])
def test_it_sends_no_key_over_plain_http_to_another_machine(host: str) -> None:
    line = refusal(*SETTINGS, EXCHANGE_BASE_URLS=f'{{"bybit": "http://{host}"}}')
    assert "bybit" in line
    assert "plain http" in line


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8001", "http://localhost:8001", "http://[::1]:8001", "https://a.example"]
)
def test_it_takes_plain_http_on_this_machine_and_https_anywhere(url: str) -> None:
    assert start(*SETTINGS, EXCHANGE_BASE_URLS=f'{{"binance": "{url}"}}').returncode == 0


def test_it_keeps_what_the_address_of_the_database_says_of_the_way_there() -> None:
    said = "sslmode=verify-full&sslrootcert=/ca.pem&options=-c%20lock_timeout%3D5000"
    shown = "settings.DATABASES['default']['OPTIONS']"
    ended = start(
        *("-c", f"from sequence_portal import settings; print({shown})"),
        DATABASE_URL=f"postgres://portal@db.example/portal?{said}",
    )
    options = ast.literal_eval(ended.stdout)
    assert (options["sslmode"], options["sslrootcert"]) == ("verify-full", "/ca.pem")
    assert options["options"].endswith("-c lock_timeout=5000")
    assert options["pool"]["max_size"] > 1


def test_it_reads_a_secret_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("what the file holds\n", encoding="utf-8")
    ended = start(*SETTINGS, SECRET_KEY=None, SECRET_KEY_FILE=str(file))
    assert ended.stdout == "what the file holds\n"


def test_it_names_a_secret_file_that_cannot_be_read(tmp_path: Path) -> None:
    line = refusal(*SETTINGS, SECRET_KEY=None, SECRET_KEY_FILE=str(tmp_path / "missing"))
    assert "SECRET_KEY_FILE" in line
    assert str(tmp_path) not in line


@pytest.mark.parametrize(
    "command",
    [WEB, GUNICORN, BEAT, FLOWER, (*WORKER, "mail,chores"), (*WORKER, "checks,mail")],
    ids=["wsgi", "gunicorn", "beat", "flower", "mail worker", "mixed worker"],
)
def test_it_keeps_private_seal_keys_out_of_processes_that_open_nothing(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    file = tmp_path / "private"
    file.write_text(PRIVATE, encoding="utf-8")
    assert "SEAL_PRIVATE_KEYS" in refusal(*command, SEAL_PRIVATE_KEYS_FILE=str(file))


def test_it_names_private_seal_keys_of_the_environment_like_those_of_a_file() -> None:
    assert "SEAL_PRIVATE_KEYS" in refusal(*WEB, SEAL_PRIVATE_KEYS=PRIVATE)


@pytest.mark.parametrize("queue", ["checks", "sweeps"])
def test_it_starts_no_worker_that_opens_secrets_without_private_seal_keys(queue: str) -> None:
    assert "SEAL_PRIVATE_KEYS" in refusal(*WORKER, queue)


def test_it_lets_nobody_wait_behind_a_sweep() -> None:
    assert "-Q sweeps" in refusal(*WORKER, "checks,sweeps", SEAL_PRIVATE_KEYS=PRIVATE)


@pytest.mark.parametrize("command", [WEB, FLOWER], ids=["wsgi", "flower"])
def test_it_keeps_the_audit_key_out_of_web_processes(command: tuple[str, ...]) -> None:
    assert "AUDIT_KEY" in refusal(*command, AUDIT_KEY="a-random-text-for-the-tests-only")


def test_it_starts_no_chore_worker_without_the_audit_key() -> None:
    assert "AUDIT_KEY" in refusal(*WORKER, "mail,chores")


def test_it_blocks_no_command_of_an_operator_for_a_secret_that_the_command_does_not_need() -> None:
    """They run where a check worker runs, too."""
    ended = start("manage.py", "check", SEAL_PRIVATE_KEYS=PRIVATE, AUDIT_KEY="a key")
    assert (ended.returncode, ended.stderr) == (0, "")
