"""Workers that look at one hold at once, and an owner who cancels in that very moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.flows import change_address
from accounts.models import AddressChange, AuditEvent, User
from accounts.roles import Role
from notifications.models import Mail
from tests.conftest import make_staff

pytestmark = pytest.mark.django_db(transaction=True)

Status = AddressChange.Status


def test_it_counts_once_or_is_cancelled_and_never_both(alice: User) -> None:
    agent = make_staff(Role.SUPPORT)
    for number in range(3):
        before = User.objects.get(pk=alice.pk).email
        change = change_address.start(
            customer=alice, new_email=f"{number}@new.example", reason="x", actor=agent, address="192.0.2.1"
        )
        past = timezone.now() - timedelta(seconds=1)
        AddressChange.objects.filter(pk=change.pk).update(status=Status.CONFIRMED, due_at=past)

        def settles() -> bool:
            change_address.settle(timezone.now())
            return False

        def cancels(change: AddressChange = change) -> bool:
            return change_address.cancel(change=change, actor=alice, address="192.0.2.2")

        cancelled = any(at_once(settles, cancels, settles, settles))
        change.refresh_from_db()
        now = User.objects.get(pk=alice.pk).email
        told = Mail.objects.filter(cause__contains=f":{change.pk}:").values_list("kind", flat=True)
        if cancelled:
            assert (change.status, now) == (Status.CANCELLED, before)
            assert sorted(told) == ["address_change_started", "address_kept"]
        else:
            assert (change.status, now) == (Status.COUNTS, change.new_email)
            assert sorted(told) == ["address_change_started", "address_changed", "address_changed"]
    ends = AuditEvent.objects.filter(verb__in=["address_changed", "address_change_cancelled"])
    assert ends.count() == 3


def at_once(*acts: Callable[[], bool]) -> list[bool]:
    """In threads with database connections of their own, as processes have them."""

    def run(act: Callable[[], bool]) -> bool:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))
