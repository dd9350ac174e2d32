"""Steps that many rows share: answers sent and taken in, and the lake compared with the ledger."""

from faults import readers
from faults.ledger import Ledger
from support.survey_env import SurveyEnv, answers


def send_and_take(env: SurveyEnv, ledger: Ledger, count: int, start: int = 0, **changed: str) -> None:
    """Send so many answers of participants P<start> and on, and run the stream to the topic's end."""
    ledger.send(env.bootstrap, env.topic, answers(count, start, **changed))
    env.take()


def assert_complete(env: SurveyEnv, ledger: Ledger) -> None:
    """Assert that the lake holds every acknowledged record once, and that its logs and its checkpoint are sound (I1 to I5)."""
    readers.exactly_once(env.lake, ledger)
    readers.sound(env.lake, env.topic)


def resume(env: SurveyEnv, ledger: Ledger) -> None:
    """Run the stream once more; then every acknowledged record is in a sound lake once."""
    env.take()
    assert_complete(env, ledger)
