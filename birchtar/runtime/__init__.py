"""What has to be on the machine before Spark starts: Java, jars, folders."""
