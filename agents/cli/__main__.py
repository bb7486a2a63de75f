"""Lets `python -m agents.cli` run the command line."""

from agents.cli.main import main

main()
