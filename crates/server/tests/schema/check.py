"""Asks a real server whatever its OpenAPI document allows, and what it does not: nothing may be answered with a 5xx.

    python check.py PATH/TO/dianjing [CASES]

Once as a program with a token of all scopes, about a data set, a model and a deployment that stay there; once as the owner, who may do what
tokens may not, and take everything away. CASES is how many requests are made up for each operation, beside those that cover what the document says.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path

CASES = 30
SEED = 1
PASSWORD = "a long password"
# What would end the session that asks, as `METHOD path`.
ENDS = ["POST /v1/logout", "POST /v1/password", "DELETE /v1/sessions"]
# What would take away what is asked about.
TAKES = ["DELETE /v1/datasets/{id}", "DELETE /v1/models/{id}", "DELETE /v1/uploads/{id}", "DELETE /v1/deployments/{name}"]


@contextmanager
def server(program: str, folder: Path):
    """A server for a team on an empty folder; its address, and the key to set it up."""
    command = [program, "serve", "--dir", str(folder / "data"), "--listen", "127.0.0.1:0", "--max-rate", "0"]
    with open(folder / "log", "wb") as log:
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | {"LC_ALL": "C.UTF-8"})
    try:
        address = running.stdout.readline().strip().rstrip("/")
        # The key is said just after the address.
        while not (key := re.search(r"with this key: (\S+)", (folder / "log").read_text())) and running.poll() is None:
            time.sleep(0.1)
        if key:
            yield address, key.group(1)
        if running.poll() is not None:
            sys.exit(f"the server ended by itself:\n{(folder / 'log').read_text()[-4000:]}")
    finally:
        running.terminate()
        running.wait()


class Caller:
    """Who asks: the owner with a session."""

    def __init__(self, address: str):
        self.address = address
        self.headers = {"X-Dianjing": "1"}

    def ask(self, method: str, at: str, body=None):
        raw = isinstance(body, bytes)
        kind = "application/octet-stream" if raw else "application/json"
        data = body if raw or body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + at, data, {"Content-Type": kind} | self.headers, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                if cookie := answer.headers["Set-Cookie"]:
                    self.headers["Cookie"] = cookie.split(";")[0]
                return json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            sys.exit(f"{method} {at}: {error.code} {error.read().decode()}")

    def done(self, job):
        while job["ended_at"] is None:
            time.sleep(0.1)
            job = self.ask("GET", f"/v1/jobs/{job['id']}")
        assert job["state"] == "done", job
        return job


def things(owner: Caller) -> dict[str, str]:
    """One of everything, by the part of the address that names it."""
    said = [("My card does not arrive", "card"), ("Where is the card", "card"), ("The card is late", "card"), ("Pay me back", "refund"), ("I want a refund", "refund"), ("The money back please", "refund")]
    rows = [f"{text} {when},{label}" for when in ("today", "now", "again") for text, label in said]
    dataset = owner.ask("POST", "/v1/datasets", {"name": "letters"})["id"]
    upload = owner.ask("POST", f"/v1/datasets/{dataset}/uploads", {})["id"]
    owner.ask("PUT", f"/v1/uploads/{upload}/file?path=letters.csv&offset=0", "\n".join(["text,label", *rows]).encode())
    owner.done(owner.ask("POST", f"/v1/uploads/{upload}/finish", {}))
    audited = owner.done(owner.ask("POST", f"/v1/datasets/{dataset}/audit", {}))
    model = owner.done(owner.ask("POST", f"/v1/datasets/{dataset}/tune", {}))["result"]["model"]
    owner.ask("PUT", "/v1/deployments/letters", {"model": model})
    example = owner.ask("GET", f"/v1/datasets/{dataset}/examples")["examples"][0]["id"]
    return {
        "/v1/datasets/{id}": dataset,
        "/v1/examples/{id}": example,
        "/v1/models/{id}": model,
        "/v1/jobs/{id}": audited["id"],
        "/v1/uploads/{id}": owner.ask("POST", f"/v1/datasets/{dataset}/uploads", {})["id"],
        "/v1/deployments/{name}": "letters",
        "/v1/predict/{name}": "letters",
    }


def config(made: dict[str, str]) -> str:
    """Requests are about what is there."""
    lines = []
    for at, name in made.items():
        part = re.search(r"\{(\w+)\}", at).group(1)
        lines += ["[[operations]]", f"include-path-regex = '^{re.escape(at)}'", f"parameters = {{ 'path.{part}' = '{name}' }}", ""]
    return "\n".join(lines)


def check(address: str, folder: Path, headers: dict[str, str], cases: int, made: dict[str, str], without: list[str]) -> bool:
    (folder / "schemathesis.toml").write_text(config(made))
    command = [Path(sys.executable).parent / "schemathesis", "--config-file", folder / "schemathesis.toml", "run", f"{address}/openapi.json"]
    command += ["--checks", "not_a_server_error", "--max-examples", str(cases), "--seed", str(SEED), "--generation-deterministic", "--continue-on-failure", "--no-color", "--warnings", "off"]
    command += [f"--header={name}: {value}" for name, value in headers.items()]
    command += [f"--exclude-name={name}" for name in without]
    return subprocess.run(command, cwd=folder, env=os.environ | {"HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis")}).returncode == 0


def main() -> None:
    program, cases = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else CASES
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        with server(program, folder) as (address, key):
            owner = Caller(address)
            owner.ask("POST", "/v1/setup", {"key": key, "tenant": "Works", "name": "ann", "password": PASSWORD})
            secret = owner.ask("POST", "/v1/tokens", {"name": "all", "scopes": ["predict", "read", "write"]})["secret"]
            print("== with a token", flush=True)
            made = things(owner)
            good = check(address, folder, {"Authorization": f"Bearer {secret}"}, cases, made, ENDS + TAKES)
            for at in ("/v1/datasets/{id}", "/v1/models/{id}"):
                owner.ask("GET", at.replace("{id}", made[at]))
            print("== as the owner", flush=True)
            good = check(address, folder, owner.headers, cases, things(owner), ENDS) and good
            # Jobs fail by themselves, long after they were asked for.
            for line in (folder / "log").read_text().splitlines():
                if line.startswith("ERROR"):
                    print(line)
                    good = False
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
