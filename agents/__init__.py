"""The doing: thin Faust agents, the consume loop, the composition root, the command line."""
