"""`sslpipe doctor`: is this machine ready?"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sslpipe.commands.options import Json

if TYPE_CHECKING:
    from sslpipe.commands.checks.finding import Finding


def doctor(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="OUT", help="A folder to build into; looked at, not made.")
    ] = None,
    ray: Annotated[bool, typer.Option("--ray", help="Also start Ray and stop it, which takes some seconds.")] = False,
    address: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Also join the Ray cluster at this address.")] = None,
    as_json: Json = False,
) -> None:
    """Check whether this machine is ready.

    Versions, cores, memory, disk, limits, compiled kernels, torch, and the folder to build into. Each line is ok, warn or
    fail, and says what to do. Exit code 4 if one fails.
    """
    from sslpipe.commands.checks.folder import folder, nearest
    from sslpipe.commands.checks.machine import machine
    from sslpipe.commands.checks.software import ray as check_ray
    from sslpipe.commands.checks.software import software
    from sslpipe.core.errors import EnvironmentFault

    findings = [*machine(), *software(), *folder(out)]
    if ray or address is not None:
        findings.append(check_ray(nearest(out or Path()), address))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        typer.echo("\n".join(lines(findings)))
    failed = [finding.what for finding in findings if finding.level == "fail"]
    if failed:
        raise EnvironmentFault(f"{len(failed)} of {len(findings)} checks failed: {', '.join(failed)}")


def lines(findings: list[Finding]) -> list[str]:
    """One line a finding, in columns; what to do stands below."""
    width = max(len(finding.what) for finding in findings)
    told = []
    for finding in findings:
        told.append(f"{finding.level:<4}  {finding.what:<{width}}  {finding.found}")
        if finding.advice:
            told.append(f"{'':<{6 + width}}  -> {finding.advice}")
    return told
