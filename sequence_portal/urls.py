from django.contrib import admin
from django.urls import include, path

from sequence_portal import views

urlpatterns = [
    path("", include("accounts.urls")),
    path("", include("apikeys.urls")),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("admin/", admin.site.urls),
]

handler500 = "sequence_portal.views.broken"
