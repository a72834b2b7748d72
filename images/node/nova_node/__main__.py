"""`python3 -m nova_node dns|network|storage`."""

from __future__ import annotations

import importlib
import logging
import sys
from typing import Final

PROGRAMS: Final = {
    "dns": "nova_node.dns.server",
    "network": "nova_node.network",
    "storage": "nova_node.storage",
}


def main(arguments: list[str]) -> int:
    """Run the program that the first argument names with the arguments after it.

    kubeadm starts the image that carries CoreDNS's name with CoreDNS's own arguments,
    `-conf FILE`, and no name before them: that is the DNS.
    """
    logging.basicConfig(
        stream=sys.stdout,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    if arguments[:1] == ["-conf"]:
        arguments = ["dns", *arguments]
    if not arguments or arguments[0] not in PROGRAMS:
        logging.error("usage: python3 -m nova_node %s", " | ".join(PROGRAMS))
        return 2
    # Only the program that runs is loaded: there are several on every node.
    program = importlib.import_module(PROGRAMS[arguments[0]])
    return int(program.main(arguments[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
