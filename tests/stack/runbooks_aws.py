"""Part of runbooks_commands.py: the real AWS CLI, imported once and forked for each command, since its start takes longer than its work.

Run by the interpreter of the CLI: `python runbooks_aws.py SOCKET`. Each connection sends one JSON line {args, cwd, env} and gets {code, out, err}.
"""

import json
import os
import socketserver
import sys
import tempfile
import traceback

from awscli import clidriver


def child(request, out, err):
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    os.chdir(request["cwd"])
    data = os.environ["AWS_DATA_PATH"]  # set by the import of awscli
    os.environ.clear()
    os.environ.update(request["env"] | {"AWS_DATA_PATH": data})
    sys.argv = ["aws", *request["args"]]
    return clidriver.main() or 0


def run(request):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if pid == 0:
            code = 255
            try:
                code = child(request, out, err)
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 255
            except Exception:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    return {"code": code, "out": texts[0], "err": texts[1]}


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(json.dumps(run(json.loads(self.rfile.readline()))).encode() + b"\n")


if __name__ == "__main__":
    with socketserver.UnixStreamServer(sys.argv[1], Handler) as server:
        server.serve_forever()
