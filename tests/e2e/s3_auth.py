# SPDX-License-Identifier: GPL-2.0-or-later
"""Middleware of the test server: lets s3api ask by access keys of the shapes that S3 has.

Swift's tempauth takes a user's name, "account:user", for the access key. Here the section of the
filter says `key_<access key> = <account:user> <secret>`, for any access key.
"""

from swift.common.middleware.tempauth import TempAuth


class KeyAuth(TempAuth):
    """tempauth for signed S3 requests only, so that no token needs to be kept anywhere."""

    def __init__(self, app, conf):
        super().__init__(app, conf)
        self.keys = {}
        for name, value in conf.items():
            if name.startswith("key_"):
                user, secret = value.split(None, 1)
                self.keys[name[len("key_"):]] = (user, secret)

    def get_groups(self, env, token):
        signed = env.get("s3api.auth_details")
        if not signed or signed["access_key"] not in self.keys:
            return None
        access_key = signed["access_key"]
        user, secret = self.keys[access_key]
        if not signed["check_signature"](secret):
            return None
        account = self.users[user]["url"].rpartition("/")[2]
        # s3api takes the access key for the account's name, too.
        env["PATH_INFO"] = env["PATH_INFO"].replace(access_key, account, 1)
        return self._get_user_groups(user.partition(":")[0], user, account)


def filter_factory(global_conf, **local_conf):
    conf = {**global_conf, **local_conf}
    return lambda app: KeyAuth(app, conf)
