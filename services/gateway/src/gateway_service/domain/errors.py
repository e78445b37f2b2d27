"""What can be wrong with a caller."""

from runtime.errors import Rejected


class NotAuthenticated(Rejected):
    """No credential, or one that opens nothing."""

    default_code = "not_authenticated"
