"""The transparency log's shell: sequencing, checkpoints, tiles over HTTP."""
