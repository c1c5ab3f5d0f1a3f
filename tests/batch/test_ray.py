"""The Ray engine, on two nodes (raylets) on this machine, one of which is killed in the middle."""

import json
import os
import subprocess
import sys
from pathlib import Path

import batches
import pytest
from batches import rows

# In a process of its own: Ray leaves threads and open files behind, and warns of its own code.
PROGRAM = """
import json, os, sys
from dataclasses import replace
from pathlib import Path
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
import batches
from ray.cluster_utils import Cluster
from shizi.batch import on_ray
from shizi.batch.run import run
from shizi.errors import ShiziError

nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 100_000_000})
second = nodes.add_node(num_cpus=1, object_store_memory=100_000_000)
asked = batches.batch(Path("in"), Path("out"), seconds=0.02, formats=("text",), shard_rows=50)
killed, places = [], set()

def on_row(tally):
    if tally.read >= 60 and not killed:
        nodes.remove_node(second, allow_graceful=False)
        killed.append(tally.read)

tally = run(asked, lambda work: on_ray.Cluster(work, nodes.address, 2, 1, 60.0), on_row)
told = {"read": tally.read, "errors": dict(tally.errors), "killed": killed}
lacking = replace(asked, work=replace(asked.work, load=batches.load_nothing), resume=True)
Path("in/one more.png").touch()
try:
    run(lacking, lambda work: on_ray.Cluster(work, nodes.address, 1, 1, 60.0))
except ShiziError as error:
    told["refused"] = [error.code, error.message]
print(json.dumps(told))
"""


@pytest.mark.slow
def test_a_node_dies_and_each_input_has_its_row(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(300):
        (tmp_path / f"in/{number:03}.png").write_text(f"text {number}")
    (tmp_path / "in/bad.png").write_text("damaged")
    (tmp_path / "in/deadly.png").write_text("die")
    told = ray_program(PROGRAM, tmp_path)
    assert told["read"] == 302
    assert told["errors"] == {"damaged_file": 1, "worker_lost": 1}
    assert told["killed"]
    assert told["refused"] == ["weights", "The model file is gone."]
    found = rows(tmp_path / "out")
    assert len(found) == 302
    assert all((tmp_path / "out" / str(row["files"]["text"])).is_file() for row in found.values() if not row["error"])  # type: ignore[index]


def ray_program(program: str, folder: Path) -> dict[str, object]:
    path = os.pathsep.join([str(Path(batches.__file__).parent), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path}
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    told: dict[str, object] = json.loads(ran.stdout.splitlines()[-1])
    return told
