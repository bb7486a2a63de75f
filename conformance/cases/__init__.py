"""The cases, each named after the rule that it proves; one file for each thing they are about."""
