from django.contrib import admin
from django.urls import include, path

from sequence_portal import metrics, views

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("apikeys.urls")),
    path("engine/v1/", include("apikeys.engine.urls")),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("admin/", admin.site.urls),
]

handler500 = "sequence_portal.views.broken"
