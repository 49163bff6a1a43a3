"""How the stream of one API process is put together."""

from collections.abc import Collection
from dataclasses import dataclass

from cambist.apps import bootstrap
from cambist.apps.api.services import Services
from cambist.apps.api.stream.door import Door
from cambist.apps.api.stream.hub import Hub
from cambist.domain.standing import AccountStanding
from cambist.usecases.accounts import standings


@dataclass(frozen=True, slots=True)
class _Journals:
    services: Services

    def read(self, user_id: int, heard: Collection[str]) -> list[AccountStanding]:
        """Return how the accounts of one person stand by their journals, but for those named."""
        register = self.services.stores(user_id).register
        names = [spec.id for spec in register.accounts() if spec.id not in heard]
        return [
            one
            for name in names
            for one in standings(register, self.services.journal, bootstrap.traits_of, account=name)
        ]


def open_door(services: Services) -> Door:
    """Return the door of the stream over ``services``; its `Door.run` must run."""
    hub = Hub(services.bus, _Journals(services).read, services.metrics)
    return Door(hub, services.identify, services.settings.origins)
