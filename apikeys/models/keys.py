"""Bots and the keys submitted for them. The database itself holds the rules that must never break."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Upper

from accounts.identifiers import BOT_ID_MAX
from accounts.models import User
from apikeys.exchanges.adapter import Adapter
from apikeys.exchanges.base import Market
from apikeys.exchanges.registry import EXCHANGES
from apikeys.findings import Finding, FindingCode
from apikeys.status import LIVE, WAITING, KeyStatus


class Bot(models.Model):
    """One bot of one customer, trading one market at one exchange."""

    bot_id = models.CharField("BOT ID", max_length=BOT_ID_MAX)
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="bots")
    exchange = models.CharField(max_length=30)  # an id of the registry
    market = models.CharField(max_length=20, choices=Market)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(Upper("bot_id"), name="one_bot_per_bot_id")]
        indexes = [models.Index(fields=["exchange", "-id"], name="bots_by_exchange")]

    def __str__(self) -> str:
        return self.bot_id

    @property
    def short_name(self) -> str:
        """The last part of the BOT ID, such as BTC-1."""
        return self.bot_id.rsplit(" / ", 1)[-1]

    @property
    def adapter(self) -> Adapter:
        return EXCHANGES[self.exchange]


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def live(self) -> Self:
        return self.filter(status__in=LIVE)

    def waiting(self) -> Self:
        return self.filter(status__in=WAITING)

    def active(self) -> Self:
        return self.filter(status=KeyStatus.ACTIVE)

    def of(self, customer: User) -> Self:
        return self.filter(bot__customer=customer)

    def live_at(self, exchange: str) -> Self:
        return self.live().filter(bot__exchange=exchange)

    def held(self) -> Self:
        """Keys that wait for a person."""
        return self.filter(status=KeyStatus.CHECKING, held=True)

    def unanswered(self, now: datetime) -> Self:
        """Keys about which the exchange has given no answer for longer than it should take."""
        return self.filter(status=KeyStatus.CHECKING, failing_since__lte=now - settings.CHECK_LATE)

    def given_up(self, now: datetime) -> Self:
        """Keys refused lately after which nothing came: their customer may be stuck."""
        since, until = now - settings.GIVEN_UP_FORGOTTEN, now - settings.GIVEN_UP_AFTER
        refused = self.filter(status=KeyStatus.REFUSED, ended_at__gt=since, ended_at__lte=until)
        later = ApiKey.objects.filter(bot=OuterRef("bot"), submitted_at__gt=OuterRef("submitted_at"))
        return refused.exclude(Exists(later))

    def of_concern(self) -> Self:
        """Active keys about which the desk is told and the customer is not."""
        return self.active().exclude(concern="")

    def with_unknown_rights(self, names: str = "") -> Self:
        """Active keys with granted rights that we do not know; names: only just those."""
        found = self.of_concern().filter(concern=FindingCode.UNPROVEN_PERMISSION)
        return found.filter(unknown_rights=names) if names else found

    def about_to_be_revoked(self) -> Self:
        """Active keys that may move money by now."""
        return self.active().filter(revoke_at__isnull=False)

    def ending(self, now: datetime, within: timedelta) -> Self:
        """Active keys whose exchange ends them within this time."""
        return self.active().filter(expires_at__gt=now, expires_at__lte=now + within)

    def to_revoke(self, now: datetime) -> Self:
        """Active keys that may move money and whose time to change that has passed."""
        return self.active().filter(revoke_at__lte=now)

    def sealed_under_older(self, seal_id: str) -> Self:
        """Live keys that are sealed under another seal key than the given, newest one."""
        return self.live().exclude(seal_id=seal_id)

    def unclaimed(self, now: datetime) -> Self:
        """Keys that no worker holds at this moment."""
        return self.filter(Q(claimed_until__isnull=True) | Q(claimed_until__lte=now))

    def checkable(self, now: datetime) -> Self:
        """New and active keys whose check is due and that no worker holds at this moment."""
        asked = (KeyStatus.CHECKING, KeyStatus.ACTIVE)
        return self.unclaimed(now).filter(status__in=asked, check_due_at__lte=now)

    def due(self, now: datetime) -> Self:
        """New keys whose check is due and that no worker holds at this moment."""
        return self.unclaimed(now).filter(status=KeyStatus.CHECKING, check_due_at__lte=now)

    def to_sweep(self, exchange: str, now: datetime) -> Self:
        """Keys in use at one exchange that are to be checked again, and that no list holds."""
        return self.active().filter(exchange=exchange, check_due_at__lte=now).unclaimed(now)


class ApiKey(models.Model):
    """One credential submitted for one bot; never edited, only replaced.

    `sealed` holds the API key, secret and passphrase together, encrypted to a public seal key, if and only
    if the key is live. What stays readable is the last four characters of the API key.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    bot = models.ForeignKey(Bot, models.PROTECT, related_name="keys")
    # The bot's, which stays the same while a key lives: for the index by which sweeps find what is due. Empty
    # where a version before wrote the row; the planning of sweeps fills it in.
    exchange = models.CharField(max_length=30, editable=False, db_default="")
    status = models.CharField(max_length=10, choices=KeyStatus)
    last_four = models.CharField(max_length=4)
    fingerprint = models.CharField(max_length=64)  # keyed; equal for the same API key at the same exchange
    trimmed = models.BooleanField(default=False)  # spaces or invisible characters were cut off when pasted
    sealed = models.BinaryField(null=True)
    seal_id = models.CharField(max_length=8, blank=True)  # which seal key opens it

    submitted_at = models.DateTimeField()
    check_due_at = models.DateTimeField(null=True)  # when to ask the exchange; null: no check is waiting
    claim = models.UUIDField(null=True)  # fences off a worker whose claim has run out
    claimed_until = models.DateTimeField(null=True)
    # The claim is of a list that no worker has taken up yet. Without a claim it says nothing.
    leased = models.BooleanField(default=False, db_default=False)
    failed_checks = models.PositiveSmallIntegerField(default=0)  # in a row, without an answer
    failing_since = models.DateTimeField(null=True)  # when the first of them failed
    checked_at = models.DateTimeField(null=True)  # last answer of the exchange
    findings_json = models.JSONField(default=list)
    report_json = models.JSONField(null=True)

    # What later checks of an active key found. `problem` is a finding code that its customer sees, `concern`
    # one that only the desk sees; both empty: in order. The bot trades on meanwhile, if the exchange lets it.
    problem = models.CharField(max_length=30, blank=True)
    problem_since = models.DateTimeField(null=True)
    problem_mailed_at = models.DateTimeField(null=True)  # null: the mail about this problem is owed
    concern = models.CharField(max_length=30, blank=True, default="", db_default="")
    concern_since = models.DateTimeField(null=True)
    # Names of granted rights that we do not know, as the exchange writes them, sorted and joined by ", ".
    unknown_rights = models.CharField(max_length=200, blank=True, default="", db_default="")
    # Refused by an answer that does not say why: null, or when this was first so. Looked at again an hour on.
    doubted_since = models.DateTimeField(null=True)
    # A right to move money appeared, and the key ends then unless the right is seen off before.
    revoke_at = models.DateTimeField(null=True)

    held = models.BooleanField(default=False, db_default=False)  # waits for a person, as its findings say
    account_id = models.CharField(max_length=100, blank=True)
    # Support confirmed that the bot may change over to this account; empty: to none.
    confirmed_account_id = models.CharField(max_length=100, blank=True, default="", db_default="")
    # Code of the adapter's host that knows the key.
    region = models.CharField(max_length=20, blank=True, default="", db_default="")
    expires_at = models.DateTimeField(null=True)
    # The exchange said that it does not end by itself.
    permanent = models.BooleanField(default=False, db_default=False)

    ready_at = models.DateTimeField(null=True)
    activated_at = models.DateTimeField(null=True)
    replaces = models.ForeignKey("self", models.PROTECT, null=True, related_name="replaced_by")
    ended_at = models.DateTimeField(null=True)  # refused, retired or revoked

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        constraints = [
            models.UniqueConstraint(
                "bot", condition=Q(status=KeyStatus.ACTIVE), name="one_active_key_per_bot"
            ),
            models.UniqueConstraint("bot", condition=Q(status__in=WAITING), name="one_waiting_key_per_bot"),
            models.UniqueConstraint(
                "fingerprint", condition=Q(status__in=LIVE), name="one_live_key_per_fingerprint"
            ),
            models.CheckConstraint(
                condition=Q(status__in=LIVE, sealed__isnull=False)
                | (~Q(status__in=LIVE) & Q(sealed__isnull=True)),
                name="sealed_if_and_only_if_live",
            ),
            models.CheckConstraint(condition=Q(status__in=KeyStatus.values), name="known_key_status"),
        ]
        indexes = [
            models.Index(fields=["bot", "-submitted_at"], name="keys_of_bot"),
            models.Index(fields=["fingerprint"], name="keys_by_fingerprint"),
            # One for what people wait for and one for sweeps, so that neither reads past the other's.
            models.Index(fields=["check_due_at"], name="keys_due", condition=Q(status=KeyStatus.CHECKING)),
            models.Index(fields=["submitted_at", "id"], name="keys_by_submission"),
            models.Index(
                fields=["submitted_at"],
                name="keys_held",
                condition=Q(status=KeyStatus.CHECKING, held=True),
            ),
            models.Index(fields=["status", "-submitted_at", "-id"], name="keys_by_status"),
            models.Index(fields=["exchange", "-submitted_at", "-id"], name="keys_by_exchange"),
            models.Index(
                fields=["failing_since"],
                name="keys_failing",
                condition=Q(status=KeyStatus.CHECKING, failing_since__isnull=False),
            ),
            models.Index(fields=["ended_at"], name="keys_refused", condition=Q(status=KeyStatus.REFUSED)),
            # With the id, so that SQLite finds some keys of one seal key by both.
            models.Index(fields=["seal_id", "id"], name="keys_by_seal", condition=Q(status__in=LIVE)),
            models.Index(
                fields=["revoke_at"],
                name="keys_to_revoke",
                condition=Q(status=KeyStatus.ACTIVE, revoke_at__isnull=False),
            ),
            models.Index(
                fields=["problem", "problem_since"],
                name="keys_with_problem",
                condition=Q(status=KeyStatus.ACTIVE) & ~Q(problem=""),
            ),
            models.Index(
                fields=["concern", "unknown_rights"],
                name="keys_of_concern",
                condition=Q(status=KeyStatus.ACTIVE) & ~Q(concern=""),
            ),
            models.Index(
                fields=["exchange", "check_due_at"],
                name="keys_to_sweep",
                condition=Q(status=KeyStatus.ACTIVE),
            ),
            models.Index(
                fields=["expires_at"],
                name="keys_by_end",
                condition=Q(status=KeyStatus.ACTIVE, expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"…{self.last_four} of {self.bot}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.exchange = self.bot.exchange
        super().save(*args, **kwargs)

    @property
    def adapter(self) -> Adapter:
        """Of the exchange that the key is of, though the bot may have gone to another one since it ended.

        A key of before this was written down has its bot's.
        """
        return EXCHANGES[self.exchange or self.bot.exchange]

    @property
    def findings(self) -> list[Finding]:
        return [Finding.from_json(item) for item in self.findings_json]


class KeyCheck(models.Model):
    """One time the exchange was asked about a key, and what came of it.

    A later check of an active key has a row only where something about the key changed, or support asked.
    """

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted"
        REFUSED = "refused"
        HELD = "held"
        RETRY = "retry"
        # Of an active key.
        IN_ORDER = "in_order"
        PROBLEM = "problem"
        CONCERN = "concern"
        DOUBT = "doubt"

    key = models.ForeignKey(ApiKey, models.CASCADE, related_name="checks")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome)
    findings_json = models.JSONField(default=list)
    report_json = models.JSONField(null=True)
    exchange_code = models.CharField(max_length=60, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["key", "-started_at"], name="checks_of_key"),
            models.Index(fields=["finished_at"], name="checks_by_age"),
        ]

    def findings(self) -> list[Finding]:
        return [Finding.from_json(item) for item in self.findings_json]
