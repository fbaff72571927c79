"""Who on the staff may do what. This table is the only place that says so.

Each role is a Django group. `sync` fills the groups from the table after every migration, so a grant made
elsewhere does not last. Nobody can grant anything at the desk: neither people nor groups are edited there.
A new act is one member of `Act`, its roles below, and a row in docs/operations.md; code asks
`may(user, Act.…)`. A role looks at whole apps, so a new model needs no line here.
"""

from typing import TYPE_CHECKING, Any

from django.apps import apps as installed_apps
from django.apps.registry import Apps
from django.db.models import Q, TextChoices

if TYPE_CHECKING:  # models exist only once every app is loaded, and `accounts.apps` needs this module before
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


class Role(TextChoices):
    SUPPORT = "support", "Support"
    LEAD = "lead", "Lead"
    OPERATIONS = "operations", "Operations"
    AUDITOR = "auditor", "Auditor"


class Act(TextChoices):
    """What can be done at the desk, beside looking. The value is the permission: `accounts.<value>`."""

    CHANGE_ADDRESS = "change_address", "Change a customer's primary address"
    SHORTEN_HOLD = "shorten_hold", "Shorten the hold of a changed address"
    CLEAR_MAILBOX = "clear_mailbox", "Clear a Microsoft mailbox"
    CLOSE_CUSTOMER = "close_customer", "Close a customer"
    RESET_FACTORS = "reset_factors", "Reset a person's lost second factor"
    END_SESSIONS = "end_sessions", "End a customer's sessions"
    RESET_PASSWORD = "reset_password", "Start a password reset"
    UNLOCK = "unlock", "Lift limits that lock a person out"
    RESEND_MAIL = "resend_mail", "Send a mail again"
    CHECK_KEY = "check_key", "Check a key again now"
    REVOKE_KEY = "revoke_key", "Revoke a key"
    REVOKE_CUSTOMER = "revoke_customer", "Revoke all keys of a customer"
    REVOKE_CHOSEN = "revoke_chosen", "Revoke keys chosen from a list"
    REVOKE_EXCHANGE = "revoke_exchange", "Revoke all keys of an exchange, as one of two"
    ADD_CUSTOMERS = "add_customers", "Add and import customers"
    LAUNCH_BOT = "launch_bot", "Launch a bot, or decline a request for one"
    MOVE_BOT = "move_bot", "Give a bot to another customer"
    WRITE_LETTER = "write_letter", "Write to a customer"
    SETTLE_ACCOUNT = "settle_account", "Confirm or turn down another exchange account"
    END_STAFF = "end_staff", "End a member of staff"
    MANAGE_ENGINE_TOKENS = "manage_engine_tokens", "Make and revoke engine tokens"
    EXPORT = "export", "Export a list"
    WATCH_WORKERS = "watch_workers", "Watch workers and queues"


ACTS: dict[Act, frozenset[Role]] = {
    Act.CHANGE_ADDRESS: frozenset({Role.SUPPORT, Role.LEAD}),
    Act.SHORTEN_HOLD: frozenset({Role.LEAD}),
    Act.CLEAR_MAILBOX: frozenset({Role.SUPPORT, Role.LEAD}),
    Act.CLOSE_CUSTOMER: frozenset({Role.LEAD}),
    Act.RESET_FACTORS: frozenset({Role.LEAD}),
    Act.END_SESSIONS: frozenset({Role.SUPPORT, Role.LEAD}),
    Act.RESET_PASSWORD: frozenset({Role.SUPPORT, Role.LEAD}),
    Act.UNLOCK: frozenset({Role.SUPPORT, Role.LEAD}),
    Act.RESEND_MAIL: frozenset({Role.SUPPORT, Role.LEAD}),
    Act.CHECK_KEY: frozenset({Role.SUPPORT, Role.LEAD}),
    Act.REVOKE_KEY: frozenset({Role.SUPPORT, Role.LEAD}),
    Act.REVOKE_CUSTOMER: frozenset({Role.SUPPORT, Role.LEAD}),
    Act.REVOKE_CHOSEN: frozenset({Role.LEAD}),
    Act.REVOKE_EXCHANGE: frozenset({Role.LEAD}),
    Act.ADD_CUSTOMERS: frozenset({Role.SUPPORT, Role.LEAD}),
    Act.LAUNCH_BOT: frozenset({Role.SUPPORT, Role.LEAD}),
    Act.MOVE_BOT: frozenset({Role.LEAD}),
    Act.WRITE_LETTER: frozenset({Role.SUPPORT, Role.LEAD}),
    Act.SETTLE_ACCOUNT: frozenset({Role.SUPPORT, Role.LEAD}),
    Act.END_STAFF: frozenset({Role.LEAD}),
    Act.MANAGE_ENGINE_TOKENS: frozenset({Role.OPERATIONS}),
    Act.EXPORT: frozenset({Role.LEAD, Role.AUDITOR}),
    Act.WATCH_WORKERS: frozenset({Role.LEAD, Role.OPERATIONS}),
}

# Apps whose pages a role can look at. Changing, adding or deleting a row by hand is nobody's: an act does it.
SEES: dict[Role, frozenset[str]] = {
    Role.SUPPORT: frozenset({"accounts", "apikeys", "notifications"}),
    Role.LEAD: frozenset({"accounts", "apikeys", "notifications"}),
    Role.OPERATIONS: frozenset({"apikeys", "notifications"}),
    Role.AUDITOR: frozenset({"accounts", "apikeys", "notifications"}),
}


def may(user: "User | AnonymousUser", act: Act) -> bool:
    """Whether this person's role allows the act. Customers and signed-out visitors may nothing."""
    return user.is_staff and user.has_perm(f"accounts.{act.value}")


def role_of(user: "User") -> Role | None:
    name = user.groups.filter(name__in=Role.values).values_list("name", flat=True).first()
    return Role(name) if name else None


def sync(*, apps: Apps, using: str) -> None:
    """Make the groups hold just what the table says. Where a migration took the tables away, do nothing."""
    try:
        group_model, permission_model, type_model = (
            apps.get_model(label) for label in ("auth.Group", "auth.Permission", "contenttypes.ContentType")
        )
    except LookupError:
        return
    groups = group_model._default_manager.using(using)
    permissions = permission_model._default_manager.using(using)
    of_people, _ = type_model._default_manager.using(using).get_or_create(app_label="accounts", model="user")
    known = set(permissions.filter(content_type=of_people).values_list("codename", flat=True))
    permissions.bulk_create(
        permission_model(content_type=of_people, codename=act.value, name=act.label)
        for act in Act
        if act.value not in known
    )
    for role in Role:
        group, _ = groups.get_or_create(name=role.value)
        group.permissions.set(permissions.filter(_granted(role)))


def _granted(role: Role) -> Q:
    acts = [act.value for act, roles in ACTS.items() if role in roles]
    looks = Q(content_type__app_label__in=SEES[role], codename__startswith="view_")
    return looks | Q(content_type__app_label="accounts", content_type__model="user", codename__in=acts)


def sync_after_migrate(sender: Any, using: str, apps: Apps = installed_apps, **_: Any) -> None:
    """Receiver of post_migrate, which comes once per app: permissions are complete with the last one.

    `flush` sends it too, and hands no `apps` on.
    """
    with_models = [config for config in sender.apps.get_app_configs() if config.models_module]
    if sender == with_models[-1]:
        sync(apps=apps, using=using)
