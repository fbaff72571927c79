"""How a person gets in.

password ▶ sign_in.check_password ▶ attempt + code row ▶ (worker draws and mails the code)
code ▶ sign_in.enter_code ▶ session
User ID + email ▶ set_password.ask ▶ attempt + code row ▶ (worker draws and mails the code)
code ▶ set_password.enter_code ▶ new password ▶ set_password.finish ▶ every session ended, mail
"""
