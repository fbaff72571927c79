"""A customer whose bot trades with an old key, about to hand over a new one, with processes to be killed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.test import Client

from accounts.models import AuditEvent
from apikeys.models import ApiKey, Bot
from apikeys.status import KeyStatus
from notifications.models import Mail
from notifications.tasks import deliver
from tests.apikeys.test_hand_over import checked, hand_over
from tests.exchange_simulator.exchanges import DEMO_KEYS
from tests.exchange_simulator.simulator import Simulator
from tests.mail_sink import Letter, MailSink
from tests.stack import Stack, empty_broker, free_port
from tests.whole.visitor import Visitor
from tests.whole.waiting import wait_until
from tests.whole.watch import Watch


@dataclass
class Scene:
    stack: Stack
    simulator: Simulator
    sink: MailSink
    client: Client  # of Alice, signed in, in the process of the test
    bot: Bot
    old: ApiKey
    watch: Watch

    def hand_over(self) -> ApiKey:
        """Submit the new key from the process of the test, which rings the real broker."""
        return hand_over(self.client, self.bot, "good")

    def visitor(self) -> Visitor:
        """Alice's browser, before the web process."""
        return Visitor(self.stack.url, {"session": self.client.cookies["session"].value})

    def calls(self) -> int:
        """How often the exchange was asked about the new key."""
        api_key = DEMO_KEYS[self.bot.exchange]["good"].api_key
        calls = self.simulator.calls()[self.bot.exchange]["calls"]
        return sum(call["last_four"] == api_key[-4:] for call in calls)

    def wait_until_active(self, key: ApiKey) -> Mail:
        """The key's mail, which comes with it."""
        active = ApiKey.objects.filter(pk=key.pk, status=KeyStatus.ACTIVE)
        wait_until(active.exists, "the new key is active")
        return Mail.objects.get(kind="api_refresh")

    def letters(self) -> list[Letter]:
        return [letter for letter in self.sink.messages if letter.subject.startswith("API refresh")]

    def check_end(self, key: ApiKey, *, letters: int = 1) -> None:
        """Whatever was killed in between: activated once, told once, and the bot was never without a key."""
        mail = self.wait_until_active(key)
        accepted = Mail.objects.filter(pk=mail.pk, status=Mail.Status.ACCEPTED)
        wait_until(accepted.exists, "the mail server has the mail")
        self.watch.check()
        for pk, verbs in (
            (key.pk, ["key_submitted", "key_accepted", "key_activated"]),
            (self.old.pk, ["key_submitted", "key_accepted", "key_activated", "key_retired"]),
        ):
            events = AuditEvent.objects.filter(key_id=pk).order_by("pk")
            assert list(events.values_list("verb", flat=True)) == verbs
        self.old.refresh_from_db()
        assert (self.old.status, self.old.sealed) == (KeyStatus.RETIRED, None)
        assert Mail.objects.count() == 2, "one about each key"
        assert len(self.letters()) == letters
        assert {letter.message_id for letter in self.letters()} == {f"<{mail.pk}@sequence.example>"}


@contextmanager
def prepared(
    directory: Path, simulator: Simulator, sink: MailSink, client: Client, bot: Bot
) -> Iterator[Scene]:
    """No process runs yet; the old key is active and its mail has arrived."""
    old = checked(hand_over(client, bot, "old"))
    mail_id: UUID = Mail.objects.get().pk
    deliver(str(mail_id))
    assert len(sink.messages) == 1
    empty_broker()
    stack = Stack(directory, simulator, sink, port=free_port())
    with Watch(bot) as watch:
        try:
            yield Scene(stack, simulator, sink, client, bot, old, watch)
        finally:
            stack.stop()
