"""People, the codes mailed to them, and what happened to them."""

import uuid
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models, transaction
from django.db.models.functions import Upper
from django.utils.crypto import salted_hmac
from django_otp.models import Device

from accounts.address_models import AddressChange as AddressChange
from accounts.address_models import MailboxHold as MailboxHold
from accounts.address_models import MailDomain as MailDomain
from accounts.audit_verbs import Verb
from accounts.devices import AuthenticatorApp as AuthenticatorApp
from accounts.devices import Passkey as Passkey
from accounts.devices import RecoveryCode as RecoveryCode
from accounts.devices import RecoveryCodes as RecoveryCodes
from accounts.identifiers import CLIENT_ID_MAX
from accounts.session_models import KnownBrowser as KnownBrowser
from accounts.session_models import LimitCount as LimitCount
from accounts.session_models import Session as Session
from notifications.models import Mail

_ONLY_ADDED = "Audit events are only ever added."


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)

    async def aget_by_natural_key(self, username: str | None) -> "User":
        return await self.aget(email__iexact=username)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email, **fields)
        user.set_password(password)
        with transaction.atomic():
            user.save(using=self._db)
            PrimaryMailDevice.objects.create(user=user, name="primary address")
            if user.is_customer:
                MailDomain.objects.watch(email)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]  # of the device
    """A customer (has a `client_id`) or a member of staff (has none).

    The email is the one primary address: codes and private mail go there and nowhere else.
    """

    email = models.EmailField("primary address", max_length=254, unique=True)  # the system check asks for it
    client_id = models.CharField("User ID", max_length=CLIENT_ID_MAX, null=True, blank=True)  # noqa: DJ001
    name = models.CharField("display name", max_length=150, blank=True)
    # The event "signed in" tells when; a column would cost each sign-in a statement.
    last_login = None
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)  # keys wiped, person anonymised

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        # Of the desk's list: the few among many.
        indexes = [
            models.Index(fields=["-id"], name="staff", condition=models.Q(is_staff=True)),
            models.Index(fields=["-id"], name="people_closed", condition=models.Q(is_active=False)),
        ]
        constraints = [
            # Upper, since that is what `iexact` compares on PostgreSQL, so one index serves both.
            models.UniqueConstraint(Upper("email"), name="one_user_per_email"),
            models.UniqueConstraint(Upper("client_id"), name="one_user_per_client_id"),
            models.CheckConstraint(
                condition=models.Q(client_id__isnull=True) | models.Q(is_staff=False, is_superuser=False),
                name="no_customer_is_staff",
            ),
        ]

    def __str__(self) -> str:
        return self.client_id or self.email

    @property
    def is_customer(self) -> bool:
        return bool(self.client_id)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """A session belongs to the password and the address it began with: another one of either ends it.

        So does one that is being stored at the very moment in which all of them are ended.
        """
        of_password = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]  # not in the stubs
        bound = salted_hmac(
            "accounts.session", f"{of_password}\0{self.email}", secret=secret, algorithm="sha256"
        )
        return bound.hexdigest()


class PrimaryMailDevice(Device):  # type: ignore[misc]  # django-otp has no types
    """Tells django-otp by what a session was verified: a code mailed to the primary address.

    It has no address of its own and accepts no token by itself. Codes are judged by `accounts.codes`, under
    the lock of the attempt that they belong to.
    """

    class Meta:
        constraints = [models.UniqueConstraint("user", name="one_primary_mail_device_per_user")]

    def verify_token(self, token: str) -> bool:
        return False


class Purpose(models.TextChoices):
    SIGN_IN = "sign_in", "sign in"
    SET_PASSWORD = "set_password", "set a new password"
    CONFIRM = "confirm", "confirm that it is you"
    STAFF_START = "staff_start", "set up your staff account"
    CONFIRM_ADDRESS = "confirm_address", "confirm this address"


class CodeAttempt(models.Model):
    """One pending proof of the mailbox, bound to one browser: data, not a half signed-in user.

    `user` is empty for an attempt that matches nobody, which takes the same way and never succeeds.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    purpose = models.CharField(max_length=20, choices=Purpose)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    address_change = models.ForeignKey(AddressChange, models.CASCADE, null=True, related_name="+")
    binding = models.CharField(max_length=64)  # SHA-256 of the token that only the asking browser holds
    subject = models.CharField(max_length=64)  # keyed hash of whom it is about, known or not; for the caps
    # Keyed hash of the known browser or address that asked.
    origin = models.CharField(max_length=64, default="", db_default="")
    # The person has signed in with it before.
    in_known_browser = models.BooleanField(default=False, db_default=False)
    # As the typed address tells: the code may not arrive.
    to_microsoft = models.BooleanField(default=False, db_default=False)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    proved_at = models.DateTimeField(null=True)  # a right code was entered
    ended_at = models.DateTimeField(null=True)  # out of tries, or what it was for is done

    class Meta:
        indexes = [models.Index(fields=["subject", "created_at"], name="attempt_by_subject")]


class MailedCode(models.Model):
    """One code of an attempt. The code itself is nowhere: the worker draws it, mails it, keeps its HMAC."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    attempt = models.ForeignKey(CodeAttempt, models.CASCADE, related_name="codes")
    requested_at = models.DateTimeField()
    mail = models.OneToOneField(Mail, models.SET_NULL, null=True)
    mac = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField(null=True)  # ten minutes after the code was drawn

    class Meta:
        indexes = [
            models.Index(
                fields=["requested_at"], name="codes_not_drawn", condition=models.Q(expires_at__isnull=True)
            )
        ]


class AppendOnlyQuerySet(models.QuerySet[Any]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError(_ONLY_ADDED)

    def delete(self) -> NoReturn:
        raise TypeError(_ONLY_ADDED)


class AppendOnly(models.Model):
    """Rows that are only ever added. The database itself refuses the rest, by the triggers of a migration."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError(_ONLY_ADDED)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(_ONLY_ADDED)


class AuditEvent(AppendOnly):
    """One thing that happened to a person or a key, written in the transaction in which it happened.

    Never holds a secret, a code, a whole API key or a mail address: it stays when its customer is closed.
    `detail` is a small object of texts for the sentence that the verb shows, such as the last four characters
    of a key. A new field belongs into `accounts.audit_chain` too.
    """

    class Actor(models.TextChoices):
        CUSTOMER = "customer"
        STAFF = "staff"
        SYSTEM = "system"

    at = models.DateTimeField()
    verb = models.CharField(max_length=40, choices=Verb)
    actor_kind = models.CharField(max_length=10, choices=Actor)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="events")
    key_id = models.UUIDField(null=True)  # the API key it is about; its app is none of ours to import
    bot_id = models.CharField(max_length=200, blank=True)
    address = models.GenericIPAddressField(null=True)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["customer", "-id"], name="events_of_customer"),
            models.Index(fields=["key_id", "at"], name="events_of_key"),
            models.Index(fields=["verb", "-id"], name="events_by_verb"),
            models.Index(fields=["actor_kind", "-id"], name="events_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.verb.replace('_', ' ').capitalize()}, event {self.pk}"


class AuditLink(AppendOnly):
    """One link of the keyed chain over the events, in the order in which they were seen committed.

    It names its event by number and not by a foreign key, so that it outlives an event taken away by force.
    """

    number = models.BigIntegerField(primary_key=True)  # 1, 2, 3 without a gap
    event_id = models.BigIntegerField(unique=True)
    digest = models.CharField(max_length=64)  # SHA-256 of the event's content
    linked_at = models.DateTimeField(db_index=True)
    mac = models.CharField(max_length=64)  # HMAC-SHA256 of this link and the mac before it
