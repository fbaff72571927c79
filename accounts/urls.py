from django.urls import path

from accounts.views import entrance, password, security, sessions

app_name = "accounts"
urlpatterns = [
    path("sign-in/", entrance.sign_in, name="sign_in"),
    path("sign-in/code/", entrance.code, name="code"),
    path("sign-in/code/again/", entrance.code_again, name="code_again"),
    path("sign-in/help/", password.help_, name="help"),
    path("sign-in/help/code/", password.code, name="help_code"),
    path("sign-in/help/code/again/", password.code_again, name="help_code_again"),
    path("sign-in/help/password/", password.new_password, name="new_password"),
    path("sign-out/", entrance.sign_out, name="sign_out"),
    path("security/", security.security, name="security"),
    path("security/sessions/end/", sessions.end, name="end_session"),
    path("security/sessions/end-others/", sessions.end_others, name="end_other_sessions"),
]
