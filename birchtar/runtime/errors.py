"""What is wrong with the machine, said before Spark starts."""


class RuntimeSetupError(RuntimeError):
    """Something that Spark needs is missing, broken or of the wrong version."""
