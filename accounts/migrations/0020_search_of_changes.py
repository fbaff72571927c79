from django.db import migrations

from accounts.desk.search import INDEXES_OF_CHANGES
from notifications.desk.indexes import migration_of


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("accounts", "0019_job_expired")]

    operations = [migration_of(INDEXES_OF_CHANGES)]
