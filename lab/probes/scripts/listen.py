"""Accept one TCP connection and print who it came from; standard library only.

Argument: {"address", "port", "timeout" (seconds)}. Prints "ready" once it listens, then a JSON
list [peer address, peer port], or null after the timeout.
"""

import json
import socket
import sys


def main() -> None:
    """Listen where the first argument asks."""
    spec = json.loads(sys.argv[1])
    with socket.create_server((spec["address"], spec["port"])) as server:
        server.settimeout(spec["timeout"])
        print("ready", flush=True)
        try:
            connection, peer = server.accept()
        except TimeoutError:
            print("null")
            return
        with connection:
            print(json.dumps(list(peer[:2])))


main()
