"""What spark-submit starts: `birchtar run` on the session of the cluster.

spark-submit --master URL --jars ... --py-files birchtar.zip jobs/run.py conf/jobs/flights.yaml
"""

import sys

from birchtar.runner.cli import main

if __name__ == "__main__":
    main(["run", "--profile=cluster", *sys.argv[1:]])
