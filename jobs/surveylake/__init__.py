"""surveylake: survey answers from Kafka to Delta tables that can be trusted."""

__version__ = "0.1.0"

from surveylake.runtime import interpreter

interpreter.require()
