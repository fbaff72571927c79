from django.urls import path

from apikeys import bot_request_views, views

app_name = "apikeys"
urlpatterns = [
    path("", views.bots, name="bots"),
    path("bots/new/", bot_request_views.new_bot, name="new_bot"),
    path(
        "bots/new/<uuid:request_pk>/take-back/", bot_request_views.take_request_back, name="take_request_back"
    ),
    path("bots/<int:pk>/key/", views.key_form, name="key_form"),
    path("exchanges/", views.exchanges, name="exchanges"),
    path("exchanges/<slug:exchange>/", views.guide, name="guide"),
    path("keys/<uuid:pk>/", views.key, name="key"),
    path("keys/<uuid:pk>/take-back/", views.take_back, name="take_back"),
]
