"""`make run ENGINE=1`: the demo with a trading engine beside it, and from one to the other."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_make_run import Demo, checkout, demo_keys, free_ports, start

__all__ = ["checkout"]

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/cwd").exists(), reason="looks at processes through /proc"
)


def start_with_engine(folder: Path, port: int) -> Demo:
    environ = {"PATH": os.environ["PATH"], "PORTAL_URL": f"http://127.0.0.1:{port}", "ENGINE": "1"}
    with (folder / "said.txt").open("w") as said, (folder / "complained.txt").open("w") as complained:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo"], cwd=folder, env=environ, stdout=said, stderr=complained
        )
    return Demo(folder, port, process)


def holders(demo: Demo, text: str) -> set[str]:
    """Command lines of the processes whose environment holds this text."""
    return {
        command for pid, command in demo.others().items() if text in Path(f"/proc/{pid}/environ").read_text()
    }


def test_it_hands_keys_over_to_an_engine_beside_it(checkout: Path) -> None:
    demo = start_with_engine(checkout, free_ports())
    try:
        demo.wait_until_ready()
        assert "The trading engine runs too" in demo.said
        assert demo_keys(checkout) == [("0x1A2 / JaneDoe / BTC-1", "active")]
        assert "Took over key" in (checkout / "var" / "log" / "engine-client.log").read_text()
        secrets = checkout / "var" / "demo.json"
        assert secrets.stat().st_mode & 0o777 == 0o600
        made = json.loads(secrets.read_text())
        (only,) = holders(demo, made["ENGINE_PRIVATE_KEYS"])
        assert "engine_client.py" in only
        assert not any("engine_client.py" in command for command in holders(demo, made["SECRET_KEY"]))
        assert any("gunicorn" in command for command in holders(demo, made["ENGINE_PUBLIC_KEYS"]))
        assert not any("seqe_" in log.read_text() for log in (checkout / "var" / "log").iterdir())
        kept = (checkout / "var" / "demo.json").read_text()
    finally:
        assert demo.end(signal.SIGINT) == 0
    assert demo.others() == {}

    again = start(checkout, demo.port)
    try:
        again.wait_until_ready()
        assert "trading engine" not in again.said
        assert demo_keys(checkout) == [("0x1A2 / JaneDoe / BTC-1", "active")], "it stays active"
        assert holders(again, made["ENGINE_PUBLIC_KEYS"]) == set()
        assert secrets.read_text() == kept
    finally:
        assert again.end(signal.SIGTERM) == 0
    assert again.others() == {}

    # As an earlier version wrote it.
    secrets.write_text(json.dumps({name: text for name, text in made.items() if "ENGINE" not in name}))
    last = start_with_engine(checkout, demo.port)
    try:
        last.wait_until_ready()
        assert json.loads(secrets.read_text())["SECRET_KEY"] == made["SECRET_KEY"]
        assert holders(last, json.loads(secrets.read_text())["ENGINE_PRIVATE_KEYS"])
    finally:
        assert last.end(signal.SIGTERM) == 0
