"""Java for a test that starts one of its own: it lives for seconds, in which the better compiler never pays off."""

SHORT_JAVA = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1"}
"""What to put into the environment. Java says on standard error that it has seen it."""
