"""Who on the staff may do what, against the table in docs/operations.md."""

import re

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.core.management import call_command
from django.db import IntegrityError, transaction

from accounts import roles
from accounts.models import User
from accounts.roles import Act, Role
from tests.conftest import make_staff, signed_in

pytestmark = pytest.mark.django_db

_LOOKS = {
    "look at people and events": ("accounts",),
    "look at bots, keys and mail": ("apikeys", "notifications"),
}


def printed() -> dict[str, dict[Role, bool]]:
    """The table that operations read: the words of an act, then yes or no for each role."""
    text = (settings.BASE_DIR / "docs" / "operations.md").read_text()
    lines = text.split("| may |")[1].split("\n\n")[0].splitlines()
    columns = [Role(name.strip()) for name in lines[0].strip(" |").split("|")]
    rows = (re.split(r"\s*\|\s*", line.strip("| ")) for line in lines[2:])
    return {
        words: dict(zip(columns, (cell == "yes" for cell in cells), strict=True)) for words, *cells in rows
    }


@pytest.fixture
def staff() -> dict[Role, User]:
    return {role: make_staff(role) for role in Role}


def test_it_allows_each_role_what_the_printed_table_says_and_nothing_else(staff: dict[Role, User]) -> None:
    table = printed()
    act_words = {act.label[0].lower() + act.label[1:]: act for act in Act}
    assert table.keys() == act_words.keys() | _LOOKS.keys()
    assert set(table["close a customer"]) == set(Role)
    for role, person in staff.items():
        allowed = {f"accounts.{act.value}" for words, act in act_words.items() if table[words][role]}
        for words, apps in _LOOKS.items():
            if table[words][role]:
                seen = Permission.objects.filter(
                    content_type__app_label__in=apps, codename__startswith="view_"
                )
                allowed |= {f"{one.content_type.app_label}.{one.codename}" for one in seen}
        assert person.get_all_permissions() == allowed
        assert [act for act in Act if roles.may(person, act)] == [
            act for act in Act if f"accounts.{act.value}" in allowed
        ]
        assert roles.role_of(person) is role


def test_it_takes_back_what_was_granted_past_the_table(staff: dict[Role, User]) -> None:
    support = Group.objects.get(name=Role.SUPPORT)
    support.permissions.add(Permission.objects.get(codename="reset_factors"))
    support.permissions.remove(Permission.objects.get(codename="view_mail"))
    call_command("migrate", verbosity=0)
    again = User.objects.get(pk=staff[Role.SUPPORT].pk)
    assert not again.has_perm("accounts.reset_factors")
    assert again.has_perm("notifications.view_mail")


def test_it_lets_nobody_but_staff_act(alice: User, staff: dict[Role, User]) -> None:
    alice.groups.add(Group.objects.get(name=Role.LEAD))
    gone = staff[Role.LEAD]
    gone.is_active = False
    for act in Act:
        assert not roles.may(alice, act)
        assert not roles.may(AnonymousUser(), act)
        assert not roles.may(gone, act)


@pytest.mark.parametrize("right", ["is_staff", "is_superuser"])
def test_it_never_makes_a_customer_staff(alice: User, right: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=alice.pk).update(**{right: True})


@pytest.mark.parametrize("role", Role)
def test_it_lets_no_role_grant_anything_at_the_desk(role: Role) -> None:
    person = make_staff(role)
    desk = signed_in(person)
    wanted = {
        "is_superuser": "on",
        "groups": [Group.objects.get(name=Role.LEAD).pk],
        "email": "x@example.com",
    }
    for path in (
        f"/admin/accounts/user/{person.pk}/change/",
        f"/admin/accounts/user/{person.pk}/delete/",
        "/admin/accounts/user/add/",
        "/admin/auth/group/add/",
        "/admin/auth/permission/add/",
    ):
        assert desk.post(path, wanted).status_code in (403, 404), path
    again = User.objects.get(pk=person.pk)
    assert not again.is_superuser
    assert [group.name for group in again.groups.all()] == [role.value]
