"""The session that steps are handed in tests: the run's own."""

from surveylake.runtime.session import opener

OPEN = opener("surveylake tests")
