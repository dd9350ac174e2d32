"""From the topic to the table `records`: where to start, the query, the sink, the size of a micro-batch."""
