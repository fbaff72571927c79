"""Writes mail as rows, in the transaction that causes it, and rings for delivery after the commit.

The row is the truth and the bell a convenience: whatever the broker loses, `notifications.ring_unsent` finds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from notifications.bell import ring_on_commit
from notifications.facts import Facts, freeze
from notifications.kinds import MailKind
from notifications.models import Attachment, Mail
from notifications.render import subject_of

DELIVER = "notifications.deliver"
RING_AT_ONCE = 20


def send(kind: MailKind, *, owner_id: int, to: str, cause: str, context: Facts) -> None:
    """Queue one mail inside the caller's transaction; a cause that was mailed before changes nothing.

    context: what the templates of `kind` name. It is kept with the row and the body rendered from it at
    delivery, so never a secret: raises ValueError for a code, which `note` is for, and TypeError for what is
    no fact. Raises TransactionManagementError outside a transaction, where the mail and its cause could come
    apart.
    """
    send_many([Letter(kind, owner_id=owner_id, to=to, cause=cause, context=context)])


@dataclass(frozen=True, slots=True)
class Pdf:
    """name: of plain characters, with its ending. content: the whole file."""

    name: str
    content: bytes = field(repr=False)


def send_with(pdf: Pdf, letter: "Letter") -> None:
    """As `send`, with a document that goes along."""
    _require_transaction()
    mail = _mail(letter, timezone.now())
    Mail.objects.bulk_create([mail], ignore_conflicts=True)
    # A cause that is known inserted nothing, so there is no row of this id to attach to.
    if Mail.objects.filter(pk=mail.pk).exists():
        Attachment.objects.create(mail=mail, name=pdf.name, content=pdf.content)
        ring_on_commit(DELIVER, str(mail.id))


@dataclass(frozen=True, slots=True)
class Letter:
    """What `send` takes, for several mails of one act."""

    kind: MailKind
    owner_id: int
    to: str
    cause: str
    context: Facts


def send_many(letters: Sequence[Letter]) -> None:
    """As `send`, with one statement for all of them."""
    _require_transaction()
    now = timezone.now()
    mails = [_mail(letter, now) for letter in letters]
    # A cause that is known inserts nothing, also where two transactions have it at once: the second waits for
    # the first. An IntegrityError would spoil the caller's transaction on PostgreSQL.
    Mail.objects.bulk_create(mails, ignore_conflicts=True)
    # More than a few at once are found by the schedule, which rings in an orderly manner. A bell for a mail
    # that was not inserted finds no row, which costs less than to look for every mail whether it is known.
    for mail in mails[:RING_AT_ONCE]:
        ring_on_commit(DELIVER, str(mail.id))


def _mail(letter: Letter, now: datetime) -> Mail:
    if "code" in letter.context:
        raise ValueError("A code is kept nowhere.")
    kept = freeze(letter.context)
    return Mail(
        kind=letter.kind,
        owner_id=letter.owner_id,
        to=letter.to,
        cause=letter.cause,
        subject=subject_of(letter.kind, kept),
        context=kept,
        created_at=now,
        due_at=now,
    )


def mailed(causes: Iterable[str]) -> set[str]:
    """Those of these causes that are known: `send` would write nothing for them. One statement."""
    return set(Mail.objects.filter(cause__in=list(causes)).values_list("cause", flat=True))


def note(kind: MailKind, *, owner_id: int, to: str, cause: str, subject: str) -> Mail:
    """The row of a mail of which nothing is kept but its subject; the caller renders and delivers it.

    Listed and counted as any mail, never rung by `notifications.ring_unsent`. Called again with the same
    cause it returns the row that is there. Raises TransactionManagementError outside a transaction.
    """
    _require_transaction()
    now = timezone.now()
    mail = Mail(
        kind=kind,
        owner_id=owner_id,
        to=to,
        cause=cause,
        subject=subject,
        created_at=now,
        due_at=now,
    )
    Mail.objects.bulk_create([mail], ignore_conflicts=True)
    return Mail.objects.get(cause=cause)


def readdress(*, owner_id: int, old: str, new: str, but: Sequence[MailKind]) -> None:
    """Send what still waits for a person's old address to the new one, but mails of these kinds.

    A mail that is not stored is given up: it holds a code of an attempt that was about the old address.
    A worker that has claimed a mail already finishes its try.
    """
    _require_transaction()
    waiting = Mail.objects.of(owner_id).filter(to__iexact=old, status=Mail.Status.WAITING)
    waiting.filter(context__isnull=True, has_body=False).update(status=Mail.Status.FAILED)
    waiting.exclude(kind__in=but).update(to=new)


def give_up(mails: QuerySet[Any]) -> None:
    """Do not send what still waits of these mails, given as a query of their ids."""
    _require_transaction()
    Mail.objects.filter(pk__in=mails, status=Mail.Status.WAITING).update(status=Mail.Status.FAILED)


def send_again(mail: Mail, *, to: str, cause: str) -> bool:
    """Queue a stored mail once more, as a mail of its own, and count it. False: this cause was mailed before.

    Raises ValueError for a mail of which nothing is kept.
    """
    _require_transaction()
    if not mail.is_stored:
        raise ValueError("Nothing of this mail is kept.")
    now = timezone.now()
    copy = Mail(
        kind=mail.kind,
        owner_id=mail.owner_id,
        to=to,
        cause=cause,
        subject=mail.subject,
        context=mail.context,
        text=mail.text,
        html=mail.html,
        has_body=mail.has_body,
        created_at=now,
        due_at=now,
    )
    Mail.objects.bulk_create([copy], ignore_conflicts=True)
    if not Mail.objects.filter(pk=copy.pk).exists():
        return False
    Mail.objects.filter(pk=mail.pk).update(times_resent=F("times_resent") + 1)
    for attached in Attachment.objects.filter(mail=mail):
        Attachment.objects.create(mail=copy, name=attached.name, content=attached.content)
    ring_on_commit(DELIVER, str(copy.id))
    return True


def prune(*, owner_id: int, to: str) -> int:
    """Remove contents, subjects and addresses of every mail of a person who has left; say how many there are.

    What waits is not sent any more. to: an address that is nobody's, put in place of each.
    """
    _require_transaction()
    mails = Mail.objects.of(owner_id)
    mails.filter(status=Mail.Status.WAITING).update(status=Mail.Status.FAILED)
    Attachment.objects.filter(mail__owner_id=owner_id).delete()
    for kind in MailKind:
        mails.filter(kind=kind).update(subject=kind.label)
    return mails.update(to=to, context=None, text="", html="", has_body=False)


def give_up_waiting() -> int:
    """Send nothing of what waits, as of a database that was restored; says how many. The desk lists them."""
    _require_transaction()
    waiting = Mail.objects.filter(status=Mail.Status.WAITING)
    return waiting.update(status=Mail.Status.FAILED, last_answer="Not sent: restored")


def _require_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("Mail is written in the transaction that causes it.")
