"""What a survey is: the contract, its words, and what is wrong with one. Plain values and SQL text; no Spark."""
