"""docker-compose.yml without a container engine: commands, environments, health checks, as processes."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.stack import ROOT, SERVICES, Stack

# ${NAME:?} and ${NAME:-value}
_FROM_OUTSIDE = re.compile(r"\$\{(\w+):(?:\?|-(.*?))\}")


@dataclass
class ComposedStack(Stack):
    """Processes named as services; `beat#2` is a second one of `beat`.

    given: what `.env` holds, and what replaces addresses that exist inside compose only.
    """

    secrets: Path = Path()
    given: dict[str, str] = field(default_factory=dict)

    def service(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = SERVICES[name.partition("#")[0]]
        return found

    def environment(self, name: str) -> dict[str, str]:
        environ = {word: os.environ[word] for word in ("PATH", "PORTAL_TEST_DIR") if word in os.environ}
        environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
        for variable, value in self.service(name)["environment"].items():
            if variable in self.given:
                environ[variable] = self.given[variable]
            elif value is not None:
                resolved = _FROM_OUTSIDE.sub(lambda found: found[2] or "", str(value))
                environ[variable] = resolved.replace("/run/secrets", str(self.secrets))
        if "ALIVE_FILE" in environ:
            environ["ALIVE_FILE"] = str(self.alive_file(name))
        return environ

    def alive_file(self, name: str) -> Path:
        return self.directory / f"{name}.alive"

    def is_healthy(self, name: str) -> bool:
        """What the container's health check finds."""
        kind, *command = self.service(name)["healthcheck"]["test"]
        if kind == "CMD-SHELL":
            command = ["sh", "-c", command[0].replace("$$", "$")]
        here = {"python": sys.executable, "8000": str(self.port)}
        found = subprocess.run(
            [here.get(word, word) for word in command],
            cwd=ROOT,
            env=self.environment(name),
            capture_output=True,
            check=False,
        )
        return found.returncode == 0

    def tell_to_end(self, name: str) -> None:
        """As `docker stop` begins."""
        self.processes[name].terminate()

    def wait_for_end(self, name: str) -> int:
        """Its exit status."""
        return self.processes.pop(name).wait(60)

    def _command(self, name: str) -> list[str]:
        return [
            word.replace("0.0.0.0:8000", f"127.0.0.1:{self.port}") for word in self.service(name)["command"]
        ]

    def _is_ready(self, name: str) -> bool:
        return self.is_healthy(name)
