"""What the steps run on: Python, Java, jars, limits of the machine, and the Spark session."""
