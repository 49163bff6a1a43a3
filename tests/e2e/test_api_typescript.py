"""A client in TypeScript is generated from the schema, and a program that uses it compiles with ``tsc --strict``.

The packages come from npm, so this runs only where it is asked for: ``CAMBIST_TEST_NPM=1``.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cambist.apps.api.app import create
from cambist.apps.api.services import open_services
from cambist.apps.settings import load

_PACKAGES = ("openapi-typescript@7", "openapi-fetch@0.14", "typescript@5")
_PROGRAM = """\
import createClient from "openapi-fetch";
import type { components, paths } from "./cambist";

const client = createClient<paths>({ baseUrl: "http://127.0.0.1:8000" });

export async function strategies(token: string): Promise<string[]> {
  const { data, error } = await client.GET("/api/v1/strategies", {
    headers: { Authorization: `Bearer ${token}` },
    params: { query: { limit: 50 } },
  });
  if (error) {
    const problem: components["schemas"]["Problem"] = error;
    throw new Error(`${problem.status} ${problem.detail} ${problem.request_id}`);
  }
  return data.items.map((one) => `${one.id} ${one.name}`);
}

export async function signIn(name: string, password: string): Promise<string> {
  const { data } = await client.POST("/api/v1/auth/login", { body: { name, password, cookie: false } });
  if (!data) throw new Error("not signed in");
  return data.access_token;
}

export async function ticket(token: string): Promise<string> {
  const { data } = await client.POST("/api/v1/stream/ticket", { headers: { Authorization: `Bearer ${token}` } });
  if (!data) throw new Error("no ticket");
  const seconds: number = data.expires_in_s;
  return `${data.ticket} for ${seconds} s`;
}
"""
_WRONG = """
export const wrong = await client.GET("/api/v1/no/such/address", {});
"""
_TSC = ("--strict", "--noEmit", "--skipLibCheck", "--target", "es2022", "--module", "esnext")


def _run(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("CAMBIST_TEST_NPM") != "1", reason="fetches packages from npm: CAMBIST_TEST_NPM=1")
@pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm here")
def test_a_client_in_typescript_compiles(tmp_path: Path) -> None:
    schema = create(open_services(load({"CAMBIST_HOME": str(tmp_path / "home")}))).openapi()
    (tmp_path / "openapi.json").write_text(json.dumps(schema), encoding="utf-8")
    (tmp_path / "package.json").write_text('{"private": true, "type": "module"}', encoding="utf-8")
    quietly = ("--no-audit", "--no-fund", "--no-package-lock", "--cache", str(tmp_path / "cache"))
    installed = _run(tmp_path, "npm", "install", *quietly, *_PACKAGES)
    if installed.returncode:
        pytest.skip(f"npm could not install: {installed.stderr.strip()[-200:]}")
    generated = _run(tmp_path, "npx", "--no-install", "openapi-typescript", "openapi.json", "-o", "cambist.ts")
    assert generated.returncode == 0, generated.stderr
    (tmp_path / "program.ts").write_text(_PROGRAM, encoding="utf-8")
    compiled = _run(tmp_path, "npx", "--no-install", "tsc", *_TSC, "--moduleResolution", "bundler", "program.ts")
    assert compiled.returncode == 0, compiled.stdout
    (tmp_path / "program.ts").write_text(_PROGRAM + _WRONG, encoding="utf-8")
    refused = _run(tmp_path, "npx", "--no-install", "tsc", *_TSC, "--moduleResolution", "bundler", "program.ts")
    assert "no/such/address" in refused.stdout, refused.stdout  # what is not in the schema does not compile
