"""What the process stands on: settings, the Faust app, batch topics, tables, telemetry, health."""
