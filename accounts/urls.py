from django.urls import path

from accounts.views import confirm, entrance, factors, password, security, sessions, staff

app_name = "accounts"
urlpatterns = [
    path("sign-in/", entrance.sign_in, name="sign_in"),
    path("sign-in/code/", entrance.code, name="code"),
    path("sign-in/code/again/", entrance.code_again, name="code_again"),
    path("sign-in/factor/", entrance.factor, name="factor"),
    path("sign-in/help/", password.help_, name="help"),
    path("sign-in/help/code/", password.code, name="help_code"),
    path("sign-in/help/code/again/", password.code_again, name="help_code_again"),
    path("sign-in/help/password/", password.new_password, name="new_password"),
    path("sign-out/", entrance.sign_out, name="sign_out"),
    path("staff/first-sign-in/", staff.start, name="staff_start"),
    path("staff/first-sign-in/password/", staff.password, name="staff_password"),
    path("security/", security.security, name="security"),
    path("security/sessions/end/", sessions.end, name="end_session"),
    path("security/sessions/end-others/", sessions.end_others, name="end_other_sessions"),
    path("security/confirm/", confirm.confirm, name="confirm"),
    path("security/confirm/code/", confirm.code, name="confirm_code"),
    path("security/confirm/code/again/", confirm.code_again, name="confirm_code_again"),
    path("security/factors/", factors.factors, name="factors"),
    path("security/factors/app/begin/", factors.begin_app, name="begin_app"),
    path("security/factors/app/", factors.app, name="factors_app"),
    path("security/factors/app/qr.svg", factors.app_qr, name="app_qr"),
    path("security/factors/app/remove/", factors.remove_app, name="remove_app"),
    path("security/factors/passkeys/add/", factors.add_passkey, name="add_passkey"),
    path("security/factors/passkeys/<int:pk>/remove/", factors.remove_passkey, name="remove_passkey"),
    path("security/factors/recovery-codes/", factors.recovery_codes, name="recovery_codes"),
]
