from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PortalConfig(AppConfig):
    name = "sequence_portal"


class PortalAdminConfig(AdminConfig):
    default_site = "sequence_portal.desk.PortalAdminSite"
