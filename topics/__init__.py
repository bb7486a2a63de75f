"""The language: one file per topic family, its records, keys and promises. A leaf package."""
