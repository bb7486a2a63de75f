"""The command line: noun verb, data on stdout, talk on stderr, exit codes that mean something."""
