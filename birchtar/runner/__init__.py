"""From a file in conf/ to a finished run."""
