"""`anjuan people import`: courts, bureaus, departments and people from CSV and YAML files."""

from services.ops.people.command import app

__all__ = ["app"]
