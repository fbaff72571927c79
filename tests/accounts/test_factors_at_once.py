"""Many answers for one second factor at the same moment, each in a thread and a transaction of its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from accounts import factor_keys, limits, long_codes
from accounts.devices import RecoveryCode, RecoveryCodes
from accounts.flows import factors
from accounts.flows.factors import Answer, Asked
from accounts.models import AuditEvent, User
from tests.authenticators import add_app, code_of

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 12


def at_once(act: Callable[[], bool]) -> int:
    """How many of `MANY` were accepted. Everybody waits until all are there."""
    gate = threading.Barrier(MANY)

    def take_part(_: int) -> bool:
        gate.wait(30)
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(MANY) as threads:
        return sum(threads.map(take_part, range(MANY)))


def answering(user: User, to: Asked, text: str) -> Callable[[], bool]:
    def act() -> bool:
        try:
            with transaction.atomic():
                return bool(factors.prove(user=user, answer=Answer(to, text), challenge=b"", address="::1"))
        except limits.TooManyError:
            return False

    return act


def test_it_accepts_a_code_of_an_app_once(alice: User) -> None:
    app = add_app(alice)
    assert at_once(answering(alice, Asked.APP, code_of(app))) == 1


def test_it_accepts_a_recovery_code_once(alice: User) -> None:
    add_app(alice)
    digest = factor_keys.digest(long_codes.folded("k7qf-2mxp-9dra"), owner=str(alice.pk))
    RecoveryCode.objects.create(of=RecoveryCodes.objects.get(user=alice), digest=digest)
    assert at_once(answering(alice, Asked.RECOVERY, "k7qf-2mxp-9dra")) == 1
    assert AuditEvent.objects.filter(verb="recovery_code_used").count() == 1


def test_it_counts_every_wrong_code(alice: User) -> None:
    app = add_app(alice)
    right = code_of(app)
    wrong = f"{(int(right) + 500_000) % 1_000_000:06d}"
    assert at_once(answering(alice, Asked.APP, wrong)) == 0
    app.refresh_from_db()
    assert app.wrong_tries == 10
    with transaction.atomic(), pytest.raises(limits.TooManyError):
        factors.prove(user=alice, answer=Answer(Asked.APP, right), challenge=b"", address="::1")
    assert AuditEvent.objects.filter(verb="factor_tries_used_up").count() == 1


def test_it_makes_one_set_of_recovery_codes_however_often_a_form_is_sent(alice: User) -> None:
    add_app(alice)
    at_once(lambda: bool(factors.renew_recovery_codes(user=alice, address="::1")))
    assert RecoveryCode.objects.filter(of__user=alice).count() == 10
