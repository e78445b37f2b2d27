"""The errors of the command line: each carries the one sentence a person needs."""


class Refused(Exception):
    """Something the person has to change first; the message is a sentence that says what to do."""

    code = "refused"


class PortTaken(Refused):
    """Another program listens where we must."""

    code = "port_taken"


class DiskFull(Refused):
    """The disk that holds the data has too little room."""

    code = "disk_full"


class WheelMissing(Refused):
    """A server that comes as a wheel is not there for this machine."""

    code = "wheel_missing"


class AlreadyRunning(Refused):
    """Another `lumora up` holds the data folder."""

    code = "already_running"


class StartFailed(Refused):
    """A part of the platform does not come up."""

    code = "start_failed"
