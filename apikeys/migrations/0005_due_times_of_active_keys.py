from datetime import timedelta
from random import random

from django.db import migrations
from django.utils import timezone

_DAY = timedelta(days=1)
_BATCH = 2000


def spread(apps, schema_editor):
    """Active keys are looked at once a day from now on, at times that are spread over the day.

    One statement where there may be a million of them.
    """
    keys = apps.get_model("apikeys", "ApiKey").objects.using(schema_editor.connection.alias)
    without = keys.filter(status="active", check_due_at=None)
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "UPDATE apikeys_apikey SET check_due_at = now() + random() * interval '1 day'"
            " WHERE status = 'active' AND check_due_at IS NULL"
        )
        return
    now = timezone.now()
    while batch := list(without.only("pk")[:_BATCH]):
        for key in batch:
            key.check_due_at = now + _DAY * random()
        keys.bulk_update(batch, ["check_due_at"])


class Migration(migrations.Migration):
    """By itself, so that the locks of the columns added before are not held meanwhile."""

    dependencies = [
        ('apikeys', '0004_active_keys'),
    ]

    operations = [
        migrations.RunPython(spread, migrations.RunPython.noop),
    ]
