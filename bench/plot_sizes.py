"""Draws `docs/sizes.svg` from what the parts `sizes` and `sizes_1m` measured last, and prints it as a table.

Both axes are logarithmic: what is linear in the keys rises at one angle, which a dashed line shows, and what
does not depend on them is level. The picture brings its own background, light or dark as the reader's.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MEASURED = ROOT / "var" / "sizes.json"
PICTURE = ROOT / "docs" / "sizes.svg"
WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 550, 70, 344
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1d2523 }
  .quiet { fill: #56625f } .title { font-weight: 600 }
  .back { fill: #fff } .grid { stroke: #dfe5e3 } path { fill: none; stroke-linejoin: round }
  .plan { stroke: #0a5c50 } .desk { stroke: #b4540a }
  .portal { stroke: #3a56b0 } .linear { stroke: #56625f }
  circle.plan { fill: #0a5c50 } circle.desk { fill: #b4540a } circle.portal { fill: #3a56b0 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6ecea } .quiet { fill: #a3b0ac } .back { fill: #14191a } .grid { stroke: #2c3537 }
    .plan { stroke: #7ad3bf } .desk { stroke: #f0a868 }
    .portal { stroke: #9db4f5 } .linear { stroke: #a3b0ac }
    circle.plan { fill: #7ad3bf } circle.desk { fill: #f0a868 } circle.portal { fill: #9db4f5 }
  }
"""

Points = Sequence[tuple[float, float]]


def main() -> None:
    sizes: list[dict[str, Any]] = json.loads(MEASURED.read_text())
    PICTURE.write_text("\n".join(drawn(sizes)) + "\n")
    print("\n".join(table(sizes)))


def drawn(sizes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    keys: list[int] = [size["keys"] for size in sizes]
    plan = [(size["keys"], size["plan_cpu_s"] * 1000) for size in sizes]
    pages = [
        (page["name"], page["at_desk"], [(size["keys"], size["pages"][place]["cpu_ms"]) for size in sizes])
        for place, page in enumerate(sizes[0]["pages"])
    ]
    every = [ms for _, ms in plan] + [ms for _, _, points in pages for _, ms in points]
    lowest, highest = math.floor(math.log10(min(every))), math.ceil(math.log10(max(every)))

    def at(point: tuple[float, float]) -> tuple[float, float]:
        across = math.log(point[0] / keys[0]) / math.log(keys[-1] / keys[0])
        up = (math.log10(point[1]) - lowest) / (highest - lowest)
        return LEFT + across * (RIGHT - LEFT), BOTTOM - up * (BOTTOM - TOP)

    words = "Processor time of planning sweeps and of pages, by number of keys"
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
    yield f"<title>{words}</title>\n<style>{STYLE}</style>"
    yield f'<rect class="back" width="{WIDTH}" height="{HEIGHT}"/>'
    yield _text(LEFT, 26, "Processor time by number of keys, the database's included", "title")
    yield _text(
        LEFT,
        46,
        "Dashed: ten times the keys, ten times the time. Thin: other pages. Both axes logarithmic.",
        "quiet",
    )
    for power in range(lowest, highest + 1):
        _, y = at((keys[0], 10.0**power))
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/>'
        yield _text(LEFT - 10, y + 4, _duration(10.0**power), "quiet", anchor="end")
    for number in keys:
        yield _text(at((number, 1))[0], BOTTOM + 24, f"{number:,}", "quiet", anchor="middle")
    yield _text((LEFT + RIGHT) / 2, BOTTOM + 46, "keys in the database", "quiet", anchor="middle")

    linear = [(number, plan[-1][1] * number / keys[-1]) for number in keys]
    seen = [point for point in linear if point[1] >= 10.0**lowest]
    yield _line(map(at, seen), "linear", 'stroke-width="1" stroke-dasharray="4 4"')
    yield _series(list(map(at, plan)), "plan", "planning all sweeps", plan)
    for at_desk, kind, what in ((True, "desk", "the desk"), (False, "portal", "the portal")):
        own = [(name, points) for name, of_desk, points in pages if of_desk is at_desk]
        slowest = max(own, key=lambda one: one[1][-1][1])
        for name, points in own:
            if name != slowest[0]:
                yield _line(map(at, points), kind, 'stroke-width="1" stroke-opacity="0.5"')
        yield _series(list(map(at, slowest[1])), kind, f"{what}: {slowest[0]}", slowest[1])
    yield "</svg>"


def table(sizes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Rows of Markdown: processor time of each at each size."""
    yield "| | " + " | ".join(f"{size['keys']:,} keys" for size in sizes) + " |"
    yield "|---|" + "---|" * len(sizes)
    yield "| keys in use, all due | " + " | ".join(f"{size['in_use']:,}" for size in sizes) + " |"
    yield ("| to plan them | " + " | ".join(_duration(size["plan_cpu_s"] * 1000) for size in sizes) + " |")
    for place, page in enumerate(sizes[0]["pages"]):
        name = f"{'desk' if page['at_desk'] else 'portal'}: {page['name']}"
        cells = (_duration(size["pages"][place]["cpu_ms"]) for size in sizes)
        yield f"| {name} | " + " | ".join(cells) + " |"


def _series(places: Points, kind: str, words: str, points: Points) -> str:
    x, y = places[-1]
    dots = "".join(f'<circle class="{kind}" cx="{cx:.1f}" cy="{cy:.1f}" r="3.5"/>' for cx, cy in places)
    label = _text(x + 12, y + 4, f"{words}, {_duration(points[-1][1])}")
    return _line(places, kind, 'stroke-width="2"') + dots + label


def _line(places: Iterable[tuple[float, float]], kind: str, look: str) -> str:
    return f'<path class="{kind}" {look} d="M{" L".join(f"{x:.1f} {y:.1f}" for x, y in places)}"/>'


def _text(x: float, y: float, words: str, kind: str = "", *, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'


def _duration(ms: float) -> str:
    return f"{ms / 1000:.2g} s" if ms >= 1000 else f"{ms:.3g} ms" if ms >= 100 else f"{ms:.2g} ms"


if __name__ == "__main__":
    main()
