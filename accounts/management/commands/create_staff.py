from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.urls import reverse

from accounts import limits
from accounts.flows import staff
from accounts.roles import Role


class Command(BaseCommand):
    help = "Make a member of staff, or change a role, and mail them a code to set a password with."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--role", required=True, choices=Role.values)

    def handle(self, *args: Any, **options: Any) -> None:
        email, role = options["email"].strip(), Role(options["role"])
        try:
            validate_email(email)
            made = staff.create(email=email, role=role)
        except ValidationError:
            raise CommandError(f"{email!r} is no email address.") from None
        except staff.IsCustomerError:
            raise CommandError(f"{email} is a customer's address. Staff need one of their own.") from None
        except limits.TooManyError as error:
            raise CommandError(f"{error} Try again after {error.again_at:%H:%M:%S} UTC.") from None
        self.stdout.write(_sentence(made, role))
        self.stdout.write(
            f"A code is on its way to {made.user.email}, good for 24 hours at "
            f"{settings.PORTAL_URL}{reverse('accounts:staff_start')}"
        )


def _sentence(made: staff.Made, role: Role) -> str:
    if made.is_new:
        return f"{made.user.email} is staff now, with the role {role.value}."
    if made.earlier_role is role:
        return f"{made.user.email} has the role {role.value} already. Nothing else changed."
    earlier = made.earlier_role.value if made.earlier_role else "none"
    return f"{made.user.email} has the role {role.value} now; it was {earlier}. Nothing else changed."
