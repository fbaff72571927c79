"""Ten thousand guesses at codes, from many browsers and addresses, by who knows all but the mailbox."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import cycle
from uuid import UUID

import pytest
import time_machine
from django.conf import settings
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts import codes, limits
from accounts.codes import Judgement, Ticket, Verdict
from accounts.flows import set_password, sign_in
from accounts.limits import TooManyError
from accounts.models import CodeAttempt, MailedCode, Purpose, User
from accounts.session_store import SessionStore
from tests.accounts.test_sign_in import enter_password, latest_code
from tests.conftest import PASSWORD
from tests.mail_sink import MailSink

pytestmark = pytest.mark.django_db

GUESSES, WINDOWS, ADDRESSES = 10_000, 4, 40
PRINTED = "50 chances in a million an account in fifteen minutes"


@cache
def request(address: str) -> HttpRequest:
    made = RequestFactory().post("/", REMOTE_ADDR=address)
    made.session = SessionStore()
    return made


@dataclass
class Guesser:
    """Knows address, password and User ID of Alice.

    right: by attempt, the code that her mailbox got and the guesser did not.
    """

    addresses: Iterator[str]
    tickets: list[tuple[Purpose, Ticket]] = field(default_factory=list)
    right: dict[UUID, str] = field(default_factory=dict)
    taken: int = 0

    def ask_for_codes(self) -> None:
        """As many as there are to have, from everywhere."""
        for _ in range(ADDRESSES):
            address = next(self.addresses)
            try:
                found = sign_in.check_password(
                    request=request(address), email="alice@example.com", password=PASSWORD, address=address
                )
                self.tickets.append((Purpose.SIGN_IN, found))
            except TooManyError:
                pass
            try:
                found = set_password.ask(
                    request=request(address),
                    client_id="0x1a2/alicedoe",
                    email="alice@example.com",
                    address=address,
                )
                self.tickets.append((Purpose.SET_PASSWORD, found))
            except TooManyError:
                pass
        self.let_the_worker_draw()

    def let_the_worker_draw(self) -> None:
        for code in MailedCode.objects.filter(mac="", attempt__user__isnull=False).select_related("attempt"):
            self.right[code.attempt_id] = codes.draw(code)

    def guess(self, purpose: Purpose, ticket: Ticket, code: str) -> None:
        address = next(self.addresses)
        self.taken += self.judged(purpose, ticket, code, address).verdict is Verdict.RIGHT

    def judged(self, purpose: Purpose, ticket: Ticket, code: str, address: str) -> Judgement:
        if purpose is Purpose.SIGN_IN:
            return sign_in.enter_code(request=request(address), ticket=ticket, code=code, address=address)
        return set_password.enter_code(ticket=ticket, code=code, address=address)

    def pairs(self) -> int:
        """How often a guess met a code that was good: a guess of an attempt with two codes met both."""
        attempts = CodeAttempt.objects.filter(pk__in=[ticket.attempt_id for _, ticket in self.tickets])
        return sum(attempt.tries * min(attempt.codes.count(), limits.LIVE_CODES) for attempt in attempts)


def test_it_judges_no_more_of_ten_thousand_guesses_than_it_prints(alice: User, mail_sink: MailSink) -> None:
    text = (settings.BASE_DIR / "docs" / "security.md").read_text()
    assert PRINTED in " ".join(text.split())
    allowed = int(PRINTED.split()[0])
    assert allowed == limits.CODES_PER_ACCOUNT * limits.CODE_TRIES
    owner, begun = Client(), timezone.now()
    assert lets_in(owner, mail_sink)
    guesser = Guesser(cycle(f"198.51.{number}.7" for number in range(ADDRESSES)))
    for window in range(WINDOWS):
        with time_machine.travel(begun + (window + 1) * (limits.CODES_WINDOW + timedelta(seconds=1))):
            guesser.tickets.clear()
            guesser.ask_for_codes()
            for turn in range(GUESSES // WINDOWS):
                purpose, ticket = guesser.tickets[turn % len(guesser.tickets)]
                # A wrong one as long as guesses are judged, and then the very code that the mailbox got.
                rounds = turn // len(guesser.tickets)
                right = guesser.right[ticket.attempt_id]
                wrong = f"{(int(right) + 1 + rounds) % 1_000_000:06d}"
                guesser.guess(purpose, ticket, wrong if rounds < limits.CODE_TRIES else right)
            assert 0 < guesser.pairs() <= allowed * 2, "for each of both purposes"
            assert lets_in(owner, mail_sink), "the owner is not held up"
    assert guesser.taken == 0


def lets_in(owner: Client, sink: MailSink) -> bool:
    """The owner, in the browser that they always use, with one code."""
    enter_password(owner)
    answer = owner.post("/sign-in/code/", {"code": latest_code(sink)})
    owner.post("/sign-out/")
    return answer.headers.get("Location") == "/"
