"""The one door to Delta: tables, commits, the log's files, the stream's checkpoint, fsync, maintenance."""
