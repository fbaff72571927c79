"""The same as `bench.sizes` up to a million keys. Filling takes a quarter of an hour, so by name only."""

from collections.abc import Mapping

from bench.sizes import SIZES, figures, measure_at


def measure() -> Mapping[str, float]:
    return {f"{name}_1m": number for name, number in figures(measure_at((*SIZES, 1_000_000))).items()}
