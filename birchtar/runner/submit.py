"""Spark's own commands with everything of ours on their paths: spark-submit for jobs, pyspark for trying things."""

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pyspark

from birchtar.runner.session import all_settings, driver_java_options
from birchtar.runtime.errors import RuntimeSetupError
from birchtar.runtime.home import checkout, home
from birchtar.runtime.jars import require_jars
from birchtar.runtime.java import Java, use_java

_PACKAGES = ("transforms", "birchtar")


def submit_command(arguments: Iterable[str], *, master: str, conf: Iterable[str], verbose: bool) -> list[str]:
    """Return the spark-submit command that runs `birchtar run` with these arguments, and set the environment for it.

    Spark's own settings are the cluster's, but for what the profile `cluster` says. Our packages travel as a zip.

    Raises:
        RuntimeSetupError: There is no fitting Java, a jar is missing, or this is no checkout.
    """
    entry = checkout() / "jobs" / "run.py"
    if not entry.is_file():
        raise RuntimeSetupError(f"`birchtar submit` needs a checkout of Birchtar: there is no {entry}.")
    java = _prepare_environment()
    return [
        _program("spark-submit"),
        f"--master={master}",
        f"--jars={','.join(map(str, require_jars()))}",
        f"--py-files={packages_zip()}",
        f"--driver-java-options={' '.join(driver_java_options(java, verbose=verbose))}",
        *(f"--conf={setting}" for setting in conf),
        str(entry),
        *arguments,
    ]


def shell_command(profile: str) -> list[str]:
    """Return the command of a PySpark shell set up as a profile says, and set the environment for it."""
    _prepare_environment()
    # Interactive even where its input is a pipe; only then Python runs what makes `spark`.
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON_OPTS", "-i")
    settings = all_settings(profile, verbose=False)
    return [_program("pyspark"), *(part for key, value in settings.items() for part in ("--conf", f"{key}={value}"))]


def packages_zip() -> Path:
    """Make the zip of our packages for executors, and return its path. A running job's zip is never changed."""
    folder = home() / "submit"
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.NamedTemporaryFile(dir=folder, suffix=".zip", delete=False) as file,
        ZipFile(file, "w", ZIP_DEFLATED) as zipped,
    ):
        for path, name in _travelling():
            zipped.write(path, name)
    whole = folder / "birchtar.zip"
    Path(file.name).replace(whole)
    return whole


def _travelling() -> Iterator[tuple[Path, Path]]:
    """Yield every file of our packages, and its name in the zip."""
    for package in _PACKAGES:
        for path in sorted((checkout() / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path, path.relative_to(checkout())
    for path in sorted((checkout() / "conf/spark").glob("*.yaml")):
        yield path, Path("birchtar/runner/profiles", path.name)


def _prepare_environment() -> Java:
    java = use_java()
    # Executors must run the Python version of the driver; on a cluster of other machines its user names their own.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    # A spark-submit of another installation must not lend us its home.
    os.environ["SPARK_HOME"] = str(Path(pyspark.__file__).parent)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(checkout()), os.environ.get("PYTHONPATH")]))
    return java


def _program(name: str) -> str:
    return str(Path(pyspark.__file__).parent / "bin" / name)
