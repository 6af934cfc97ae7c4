# Written by `python -m sslpipe.core.stubs`.

from sslpipe import cuts as cuts
from sslpipe import dedups as dedups
from sslpipe import filters as filters
from sslpipe import fits as fits
from sslpipe import maps as maps
from sslpipe import measures as measures
from sslpipe import packs as packs
from sslpipe import readers as readers
from sslpipe import tasks as tasks
from sslpipe import testing as testing
from sslpipe.api import build as build
from sslpipe.api import open as open
from sslpipe.recipe.load import load_recipe as load_recipe
from sslpipe.recipe.recipe import Recipe as Recipe
from sslpipe.stream.dataset import Dataset as Dataset

__version__: str
