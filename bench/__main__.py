"""Runs the parts that are named, all unless told. Ends with 0 also where a figure is missed, and says so."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from bench.figures import FIGURES, PARTS, Part

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "var" / "bench.json"
SERVERS = ("DATABASE_URL", "REDIS_URL")
# All that a part sees of the shell it was started from, so that its settings are the product's own.
HANDED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")


def main() -> int:
    told = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    told.add_argument("parts", nargs="*", metavar="part", help=f"any of: {', '.join(PARTS)}")
    names = told.parse_args().parts or [name for name, part in PARTS.items() if not part.by_name_only]
    if unknown := [name for name in names if name not in PARTS]:
        told.error(f"no such part: {', '.join(unknown)}. There are: {', '.join(PARTS)}")
    failed = [name for name in names if not run(name, PARTS[name])]
    show(figure for name in names for figure in PARTS[name].figures)
    if failed:
        print(f"Could not be measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def run(name: str, part: Part) -> bool:
    """Measure one part and keep its figures; False where it broke. One that is skipped is not broken."""
    missing = [variable for variable in part.needs if not os.environ.get(variable)]
    if missing:
        say(f"{name}: skipped, {' and '.join(missing)} not set. Earlier figures are kept.")
        return True
    say(f"{name}:")
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [sys.executable, "-m", "bench.child", part.module, file.name]
        ended = subprocess.run(command, cwd=ROOT, env=environment(part), check=False)
        if ended.returncode:
            return False
        keep(json.loads(Path(file.name).read_text()))
    return True


def environment(part: Part) -> dict[str, str]:
    wanted = (*HANDED_ON, *(SERVERS if part.servers else ()))
    # What libpq reads itself, such as PGPASSWORD, belongs to the database's address.
    return {name: value for name, value in os.environ.items() if name in wanted or name.startswith("PG")}


def kept() -> dict[str, float]:
    try:
        found: dict[str, float] = json.loads(RESULTS.read_text())
    except FileNotFoundError:
        return {}
    return found


def keep(figures: Mapping[str, float]) -> None:
    """Into one flat object; figures of parts that did not run stay as they were."""
    RESULTS.parent.mkdir(exist_ok=True)
    merged = kept() | {name: round(number, 4) for name, number in figures.items()}
    written = RESULTS.with_suffix(".tmp")
    written.write_text(json.dumps(dict(sorted(merged.items())), indent=2) + "\n")
    written.replace(RESULTS)


def show(names: Iterable[str]) -> None:
    found = kept()
    rows = [("name", "figure", "bound", "", "what")]
    for name in names:
        figure, number = FIGURES[name], found.get(name)
        if number is None:
            rows.append((name, "-", figure.asked, "not measured", figure.words))
        else:
            rows.append((name, f"{number:g}", figure.asked, figure.verdict(number), figure.words))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    print()
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    say(f"\nKept in {RESULTS.relative_to(ROOT)}.")


def say(line: str) -> None:
    # Flushed, so that it stands before what a part prints.
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
