"""Spark in a Java that another process has started, and stops."""

import os
import sys

from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession


def way_into(spark: SparkSession) -> dict[str, str]:
    """Return the variables of the environment by which another process finds the Java of a session."""
    java = spark.sparkContext._gateway.gateway_parameters
    return {"PYSPARK_GATEWAY_PORT": str(java.port), "PYSPARK_GATEWAY_SECRET": java.auth_token}


def guest_session(way: dict[str, str]) -> SparkSession:
    """Return a session with settings and views of its own. The process that uses it must not stop it."""
    # Else Spark takes the first python3 on the path for its workers, which has none of our packages.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.update(way)
    try:
        gateway = launch_gateway()
    finally:
        for name in way:
            del os.environ[name]
    running = gateway.jvm.org.apache.spark.SparkContext.getOrCreate()
    java = gateway.jvm.JavaSparkContext(running)
    context = SparkContext(gateway=gateway, jsc=java, conf=SparkConf(_jconf=java.getConf()))
    return SparkSession(context, gateway.jvm.SparkSession.getDefaultSession().get().newSession())
