"""Which addresses may be called on behalf of a user: none by which they would reach what only this server can."""

import ipaddress
import socket
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Guard:
    """Makes sockets only to addresses that are allowed.

    It is asked at each connection, for the very address that will be connected to: a name that answers otherwise at a
    second look gains nothing.
    """

    def __init__(self, *, inside: bool) -> None:
        self._inside = inside
        self.refused = False
        """Whether an address was refused."""

    def socket(self, addr_info: tuple[Any, ...]) -> socket.socket:
        """Return a socket for ``addr_info`` (as `socket.getaddrinfo` gives it); raise `OSError` if it is refused."""
        family, kind, protocol, _, address = addr_info
        if not allowed(str(address[0]), inside=self._inside):
            self.refused = True
            raise OSError("this address is not allowed")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made


def allowed(host: str, *, inside: bool) -> bool:
    """Tell whether the address ``host`` may be called: public ones may, those of this machine and of private networks
    if ``inside``, those that lead elsewhere (link-local, where clouds keep their secrets; multicast) never.
    """
    try:
        address = _true(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        return False  # such as 127.1, which some systems take for an address
    if address.is_loopback:
        return inside
    if address.is_multicast or address.is_link_local or address.is_unspecified or address.is_reserved:
        return False
    return address.is_global or (inside and address.is_private)


def _true(address: Address) -> Address:
    """Return the IPv4 address to which ``address`` leads, if it is one in the clothes of IPv6."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)
