"""The one error type that is meant for the user's eyes."""


class UserError(Exception):
    """Bad input: one clear line that says what is wrong, where, and what to do.

    A command that meets it prints the line and ends with exit code 2; ``AXONET_DEBUG=1`` shows the traceback.
    """
