"""A desk page that lists and shows, and changes nothing. Every app's admin builds on it."""

from typing import Any

from django.http import HttpRequest

from notifications.desk.lists import LargeTableAdmin


class ReadOnly:
    """For admins and inlines alike."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, LargeTableAdmin):
    actions: Any = None
