"""How alerts reach people: a small consumer of `recon.alerts` for each place they go to."""
