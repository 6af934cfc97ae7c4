"""The dataset card: a README that Hugging Face reads, with every shard listed by name."""

from __future__ import annotations

from sslpipe.shards.manifest import SPLITS, Manifest


def dataset_card(manifest: Manifest) -> str:
    """Markdown with the configs that `datasets.load_dataset(folder)` goes by.

    Shards are listed one by one: a pattern would also match side files and shards of an older revision.
    """
    lines = ["---", "configs:", "- config_name: default", "  data_files:"]
    for split in SPLITS:
        shards = manifest.split(split)
        if shards:
            name = "validation" if split == "val" else split
            lines += [f"  - split: {name}", "    path:", *(f"    - {shard.path}" for shard in shards)]
    lines += ["---", "", f"# {manifest.name}", "", "Made by sslpipe. Each sample is one group of members in a tar:", ""]
    lines += [f"- `{name}`: {field.stored_as()}" for name, field in manifest.fields.items()]
    lines += ["", "| rows | |", "|---|---|", *(f"| {name} | {count:,} |" for name, count in manifest.totals.items())]
    return "\n".join([*lines, ""])
