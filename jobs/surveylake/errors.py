"""The errors as one tree: each says what happened and what to do next.

SurveylakeError            exit code 1
├── ConfigError            exit code 2   a contract, a conf file or an argument is wrong
├── SetupError             exit code 3   Java, Spark or the jars are not the pinned ones, or cannot run on this machine
├── InputError             exit code 4   a CSV cannot be sent as it is
├── TopicError             exit code 5   Kafka does not answer, or the topic is not the one expected
│   ├── TopicMissingError                the cluster does not list the topic
│   ├── TopicReplacedError               the topic is not the one that the table was read from
│   └── RecordsExpiredError              the topic no longer keeps records that were not read yet
├── StorageError           exit code 6   the lake cannot be read or written
│   └── LakeLockedError                  another process writes it
├── ProofError             exit code 7   the lake was read, and it is not what it should be
└── JavaError              exit code 8   Spark's Java ended while it was needed, or ran out of memory

Exit code 9 is no error: check.py has found what a contract would reject.
"""


class SurveylakeError(Exception):
    """Base of all errors: `message` says what happened, `hint` what to do next; it may be empty."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(SurveylakeError):
    """A contract, a conf file or an argument is wrong; raised before Spark starts."""

    exit_code = 2


class SetupError(SurveylakeError):
    """Java, Spark or the jars are missing or not the pinned ones, or the machine's limits and folders keep them from running."""

    exit_code = 3


class InputError(SurveylakeError):
    """A CSV cannot be read as this survey's answers."""

    exit_code = 4


class TopicError(SurveylakeError):
    """Kafka does not answer, or the topic is missing or not the one expected."""

    exit_code = 5


class TopicMissingError(TopicError):
    """The cluster does not list the topic."""


class TopicReplacedError(TopicError):
    """The topic is not the one that the table was read from: made anew, of another cluster, or of another name."""


class RecordsExpiredError(TopicError):
    """The topic no longer keeps records that were not read yet."""


class StorageError(SurveylakeError):
    """The lake cannot be read or written, or another process holds it."""

    exit_code = 6


class LakeLockedError(StorageError):
    """Another process writes the lake."""


class ProofError(SurveylakeError):
    """The lake was read, and it does not hold what it should."""

    exit_code = 7


class JavaError(SurveylakeError):
    """Spark's Java ended while it was needed, or had too little memory for what it was given."""

    exit_code = 8
