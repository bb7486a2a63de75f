"""The one four-eyes machine: who asked, what both were shown, who agreed, what then happened."""
