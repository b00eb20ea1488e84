"""The real parts are there for every test, beside the service or under tests/."""

pytest_plugins = ["services.ops.rig.fixtures"]
