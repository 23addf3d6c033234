"""Unpacks the program and the request that came on standard input, and becomes push.sh.

Runs by exec() inside the constant command line, which has read the input into `r`.
"""

import base64
import bz2
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

sent = globals()["r"]

os.umask(0o077)
base = Path("/run/layered-cloud")
base.mkdir(mode=0o700, exist_ok=True)
directory = None
try:
    directory = Path(tempfile.mkdtemp(dir=base, prefix="push-"))
    program = bz2.decompress(base64.b64decode(sent["program"])).decode()
    for part in program.split("\n#==> ")[1:]:
        name, text = part.split("\n", 1)
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (directory / "request.json").write_text(json.dumps(sent["request"]))
except OSError as error:
    if directory is not None:
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(
        f"{base}: {error.strerror}\nNothing was changed on the machine. A push needs a MiB of room "
        "in /run ('df -h /run'); the same push, run again, goes on from here"
    )
os.execvp("bash", ["bash", str(directory / "push.sh"), sys.argv[1], str(directory)])  # noqa: S606
