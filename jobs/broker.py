"""Nothing in, a Kafka out: runs the embedded broker in the foreground until Ctrl-C or SIGTERM; its data stays."""

import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from surveylake.cli import command, plain_parser
from surveylake.errors import SetupError
from surveylake.kafka.embedded import EmbeddedBroker
from surveylake.kafka.embedded_node import last_lines
from surveylake.paths import VAR

EXAMPLES = """\
  python jobs/broker.py                                  on 127.0.0.1:9092, data in var/kafka
  python jobs/broker.py --data /data/kafka --port 9192   elsewhere
  then, in another terminal:  make run BOOTSTRAP=127.0.0.1:9092
"""


@command
def main(argv: Sequence[str] | None = None) -> int:
    """Run the embedded broker until a signal ends it. Raises SetupError when Kafka ends by itself."""
    parser = plain_parser("broker", __doc__, EXAMPLES)
    parser.add_argument(
        "--data", type=Path, default=VAR / "kafka", metavar="DIR", help="data folder (default: var/kafka)"
    )
    parser.add_argument("--port", type=int, default=9092, help="wished port (default: %(default)s)")
    parser.add_argument("--heap", default="256m", help="Java heap (default: %(default)s)")
    arguments = parser.parse_args(argv)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    with EmbeddedBroker(arguments.data, arguments.port, arguments.heap) as broker:
        print(f"bootstrap {broker.bootstrap}", flush=True)
        code = broker.wait()
        raise SetupError(f"Kafka ended with code {code}:\n{last_lines(broker.log)}", f"its log: {broker.log}")


if __name__ == "__main__":
    sys.exit(main())
