"""Neural posterior estimation by sbi, run by the Python of its environment.

    python posteriors_rival.py SIMULATIONS DRAWS

SIMULATIONS is a file of NumPy with parameters ``theta``, data ``x``, the observation
``observed``, and the bounds ``low`` and ``high`` of a uniform prior. Writes ``draws``
and CPU ``seconds`` of training and draws with default options to the file DRAWS.
"""

import sys
import time

import numpy as np
import torch
from sbi.inference import NPE
from sbi.utils import BoxUniform

N_DRAWS = 10_000


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    data = {
        key: torch.tensor(values, dtype=torch.float32)
        for key, values in np.load(sys.argv[1]).items()
    }
    start = time.process_time()
    prior = BoxUniform(data["low"], data["high"])
    method = NPE(prior).append_simulations(data["theta"], data["x"])
    posterior = method.build_posterior(method.train())
    draws = posterior.sample(
        (N_DRAWS,), x=data["observed"], show_progress_bars=False
    ).numpy()
    np.savez(sys.argv[2], draws=draws, seconds=time.process_time() - start)


if __name__ == "__main__":
    main()
