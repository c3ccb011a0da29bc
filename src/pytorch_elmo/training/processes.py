"""Several processes that train one model, as `torchrun` starts them: gloo between CPUs, nccl between GPUs."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch import distributed as dist

from pytorch_elmo.errors import ConfigurationError


@dataclass(frozen=True)
class Processes:
    """This process among those of a run; alone, every exchange is nothing."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes files and talks to the user."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """This process's part of `count` rows.

        Raises:
            ConfigurationError: `count` is no multiple of the number of processes.
        """
        if count % self.size:
            raise ConfigurationError(
                f"batch_size counts the rows of all processes and must be a multiple of their number {self.size}, "
                f"got {count}; change one of them"
            )
        rows = count // self.size
        return slice(self.rank * rows, (self.rank + 1) * rows)

    def average_(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its mean over the processes; a sparse one by that of its values."""
        if self.size == 1:
            return
        dense = [tensor._values() if tensor.is_sparse else tensor for tensor in tensors]
        for work in [dist.all_reduce(tensor, async_op=True) for tensor in dense]:
            work.wait()
        for tensor in dense:
            tensor.div_(self.size)

    def gather(self, tensor: Tensor, dim: int) -> Tensor:
        """The tensors of all processes, joined along `dim` in the order of their ranks."""
        if self.size == 1:
            return tensor
        parts = [torch.empty_like(tensor) for _ in range(self.size)]
        dist.all_gather(parts, tensor.contiguous())
        return torch.cat(parts, dim=dim)

    def any(self, condition: bool, device: torch.device) -> bool:
        """Whether the condition holds in one of the processes."""
        if self.size == 1:
            return condition
        asked = torch.tensor(float(condition), device=device)
        dist.all_reduce(asked, dist.ReduceOp.MAX)
        return bool(asked.item())

    def from_first(self, number: float, device: torch.device) -> float:
        """The first process's number."""
        if self.size == 1:
            return number
        shared = torch.tensor(number, dtype=torch.float64, device=device)
        dist.broadcast(shared, 0)
        return shared.item()

    def wait(self) -> None:
        """Go on when all processes are here."""
        if self.size > 1:
            dist.barrier()


@contextmanager
def join_processes(device: torch.device) -> Iterator[Processes]:
    """Join the processes that `torchrun` started with this one; alone where there are none."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Processes()
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        processes = Processes(dist.get_rank(), size)
        yield processes
        processes.wait()  # nobody hangs up while another one is still at work
    finally:
        dist.destroy_process_group()


def local_device(name: str) -> str:
    """The device's name; `cuda` under `torchrun` is the GPU with this process's local number."""
    return f"cuda:{os.environ['LOCAL_RANK']}" if name == "cuda" and "LOCAL_RANK" in os.environ else name
