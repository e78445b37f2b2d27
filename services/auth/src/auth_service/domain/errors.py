"""Why somebody does not get in."""

from runtime.errors import Conflict, Rejected


class NotAuthenticated(Rejected):
    """A token or key that opens nothing: unknown, expired, used or revoked; nobody can tell which."""

    default_code = "not_authenticated"


class WrongCredentials(Rejected):
    """No such e-mail, or another password: nobody can tell which."""

    default_code = "wrong_credentials"


class EmailTaken(Conflict):
    """Somebody registered with it."""

    default_code = "email_taken"
