"""What can go wrong with what is remembered from run to run."""


class StateError(RuntimeError):
    """The state database cannot be used; the message says which, why and what to do."""


class NoStateError(StateError):
    """There is no state database yet."""


class JobBusyError(StateError):
    """Another process runs this job."""


class JobDoneError(StateError):
    """What is to run once has run."""


class LostRunError(StateError):
    """A run is no longer ours: another process took it over, or has finished it."""
