"""The one place that configures and starts Spark."""

import logging
import os
import re
import sys
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

from birchtar.runtime.class_data import options as class_data_options
from birchtar.runtime.class_data import recording_options
from birchtar.runtime.errors import RuntimeSetupError
from birchtar.runtime.home import checkout
from birchtar.runtime.jars import require_jars
from birchtar.runtime.java import Java, use_java

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Settings = dict[str, str]

_ALWAYS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # A stage whose code Java would not compile for its length is run in parts that it compiles.
    "spark.sql.codegen.hugeMethodLimit": "8000",
    # No data is brought to the driver but rejected rows, task by task, of which it keeps a bounded number.
    "spark.driver.maxResultSize": "0",
    # Else PySpark notes for each Column where in Python it was made, which takes longer than to make it.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
}
_MOST_DRIVER_MEMORY = 8 * 1024
"""In MiB. More than this slows a laptop's other programs down and helps a local run little."""

_MEMORY = re.compile("([0-9]+)(m|g)b?")

_WARNS_OF_LIBRARIES = 24
"""From this version on, Java warns on every start of what Spark's libraries do inside."""


def start(profile: str = "local", *, verbose: bool = False, recording: Path | None = None) -> "SparkSession":
    """Start Spark with a profile of `conf/spark`, or return the session that runs already.

    Args:
        profile: The name of a file in `conf/spark`, without its ending.
        verbose: Let Spark's own warnings through.
        recording: Where Java shall write its class-data archive when it ends.

    Raises:
        RuntimeSetupError: There is no such profile, no fitting Java, or a jar is missing or corrupt.
    """
    if _under_spark_submit():
        settings = _ALWAYS | read_profile(profile)
    else:
        settings = all_settings(profile, verbose=verbose, recording=recording)
    from pyspark.sql import SparkSession

    if not verbose:
        # PySpark logs an error that it then raises as well; it is said once, by whoever catches it.
        logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
        logging.getLogger("DataFrameQueryContextLogger").setLevel(logging.CRITICAL)
        # So does Py4J, by the root logger, when a call to Java is interrupted.
        logging.getLogger().addFilter(lambda record: "py4j" not in record.pathname)
        logging.getLogger("py4j").setLevel(logging.CRITICAL)
    builder = SparkSession.builder.appName("birchtar")
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def all_settings(profile: str, *, verbose: bool, recording: Path | None = None) -> Settings:
    """Return what a Spark that we start ourselves is told: the profile, our jars, and what fits this machine.

    Raises:
        RuntimeSetupError: As `start`.
    """
    settings = _ALWAYS | read_profile(profile)
    java = use_java()
    # Else Spark takes the first python3 on the path for its workers, which has none of our packages.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    jars = require_jars()
    settings |= {"spark.driver.extraClassPath": os.pathsep.join(map(str, jars))}
    class_data = recording_options(java, recording) if recording else class_data_options(java, jars)
    options = " ".join([*driver_java_options(java, verbose=verbose), *map(_quoted, class_data)])
    asked = settings.get("spark.driver.extraJavaOptions", "")
    settings = machine_settings() | settings | {"spark.driver.extraJavaOptions": f"{asked} {options}".strip()}
    return page_settings(settings) | settings


def read_profile(name: str) -> Settings:
    """Return the settings of a profile: from `conf/spark` below the current folder, else below the checkout.

    Raises:
        RuntimeSetupError: There is no such profile, or it is not a list of settings.
    """
    from ruamel.yaml import YAML

    places = [
        Path("conf/spark", f"{name}.yaml").absolute(),
        checkout() / "conf/spark" / f"{name}.yaml",
        # Where our packages travel as a wheel or a zip, the profiles travel in them.
        files(__package__) / "profiles" / f"{name}.yaml",
    ]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        looked = ", ".join(dict.fromkeys(map(str, places)))
        raise RuntimeSetupError(f"There is no Spark profile {name!r}. Looked for {looked}.")
    settings = YAML(typ="safe", pure=True).load(found.read_text(encoding="utf-8"))
    if not isinstance(settings, dict):
        raise RuntimeSetupError(f"{found}: a Spark profile is lines of `setting: value`.")
    return {str(key): _as_spark_writes(value) for key, value in settings.items()}


def machine_settings() -> Settings:
    """Return the settings that depend on this machine, for profiles that do not give them."""
    cores = os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return {
        "spark.driver.memory": f"{max(1024, min(memory // 2, _MOST_DRIVER_MEMORY))}m",
        "spark.sql.shuffle.partitions": str(2 * cores),
    }


def page_settings(settings: Settings) -> Settings:
    """Return how much memory a local Spark takes at a time, for sorting, joins and broadcasts.

    Java has to make room apart for what is larger than half of one of its 2,048 regions, as Spark's own pages of 64 MB
    are. A task may have 8,192 pages, so these are as small as still hold all memory; Spark uses pages of less than 1 MB
    but once, so of little memory they stay as they are.

    Example:
        >>> page_settings({"spark.master": "local[*]", "spark.driver.memory": "8g"})
        {'spark.buffer.pageSize': '1024k'}
        >>> page_settings({"spark.master": "spark://host:7077", "spark.driver.memory": "8g"})
        {}
    """
    memory = _MEMORY.fullmatch(settings["spark.driver.memory"].strip().lower())
    if memory is None or not settings.get("spark.master", "").startswith("local"):
        return {}
    kibibytes = int(memory[1]) * (1024 if memory[2] == "g" else 1) * 1024 // 8192
    return {"spark.buffer.pageSize": f"{kibibytes}k"} if kibibytes >= 1024 else {}


def driver_java_options(java: Java, *, verbose: bool) -> list[str]:
    """Return the options of Java itself: what Spark logs, and which of Java's own warnings are of no use here."""
    with as_file(files(__package__).joinpath("log4j2.properties")) as log4j:
        options = [
            _quoted(f"-Dlog4j2.configurationFile={log4j}"),
            f"-Dbirchtar.log.level={'WARN' if verbose else 'OFF'}",
        ]
    if java.version >= _WARNS_OF_LIBRARIES:
        options += ["--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"]
    return options


def _under_spark_submit() -> bool:
    """Tell whether spark-submit started this program; then Java runs already, with its jars and settings."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def _quoted(option: str) -> str:
    """Return an option as Spark, which splits them at blanks, takes it for one."""
    return f'"{option}"' if " " in option else option


def _as_spark_writes(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
