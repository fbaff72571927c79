"""Fixtures of the tests with whole processes."""

import pytest

from notifications import bell


@pytest.fixture
def patient_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process of the test rings for certain, however busy the machine: here no browser waits for it."""
    monkeypatch.setattr(bell, "RING_PATIENCE", 60.0)
    monkeypatch.setattr(bell, "_quiet_until", 0.0)
