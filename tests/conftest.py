"""What all tests share: generated tests without a clock, and one Ray for the session."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("sslpipe", deadline=None, max_examples=60)
settings.load_profile("sslpipe")


@pytest.fixture(scope="session")
def ray_session() -> Iterator[None]:
    """One local Ray with two workers for all tests that need it; engines join it and leave it running."""
    import ray

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own, about its future and about files it leaves to the collector
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()
