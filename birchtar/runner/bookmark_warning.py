"""What reading something a second time does to a job's outputs."""

from birchtar.runner.bookmark_target import Target
from birchtar.runner.problems import ConfigError

_IN_GENERAL = (
    "Outputs with `mode: append` will get these rows twice, unless you remove their rows first; `merge` and"
    " `overwrite_partitions` take the place of what is there."
)


def warning(target: Target) -> str:
    """Return what happens to rows that are read again; with the names of outputs, where a config tells their modes."""
    if target.config is None:
        return _IN_GENERAL
    from birchtar.runner.load_job import load_job

    try:
        outputs = load_job(target.config).outputs
    except ConfigError:
        return _IN_GENERAL
    appended = [f"`{name}` ({sink.path})" for name, sink in outputs.items() if sink.mode == "append"]
    safe = [f"`{name}` ({sink.mode})" for name, sink in outputs.items() if sink.mode != "append"]
    parts = [f"These outputs will get the rows twice, unless you remove theirs first: {', '.join(appended)}."]
    said = parts if appended else []
    return " ".join([*said, *([f"Safe: {', '.join(safe)}."] if safe else [])])
