"""`{% list_rows cl %}`: the table of a list of the desk."""

from typing import Any

from django import template
from django.contrib.admin.templatetags.admin_list import result_headers

from notifications.desk.rows import rows

register = template.Library()


@register.inclusion_tag("admin/list_rows.html")
def list_rows(shown: Any) -> dict[str, Any]:
    """shown: the change list. It is sorted by one column."""
    return {"headers": list(result_headers(shown)), "rows": list(rows(shown))}
