"""A clock that only goes on when it is told to: how long code waits is then a number, on a slow machine as on a fast one."""

from dataclasses import dataclass


@dataclass
class Clock:
    """Stands for the module `time` in a module under test, where nobody may sleep."""

    now: float = 0.0
    """Seconds since the clock was made."""

    def monotonic(self) -> float:
        """Return the seconds that were waited so far."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Raise AssertionError: what is tested answers at once."""
        raise AssertionError(f"it waits for {seconds} s")
