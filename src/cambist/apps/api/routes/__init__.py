"""One file per area of the API; `cambist.apps.api.app` mounts those that it names."""
