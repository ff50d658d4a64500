"""
Rates of a small epidemic
=========================

A stochastic simulator of an epidemic has no likelihood that can be computed: days
between observations are full of events that nobody saw. Approximate Bayesian
computation needs simulations alone.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import uniform

from skdgm import ABC

# Boys confined to bed in a boarding school of 763, day by day: influenza, 1978
# (British Medical Journal, 4 March 1978).
N = 763
sick = np.array([3, 8, 26, 76, 225, 298, 258, 233, 189, 128, 68, 29, 14, 4])


def epidemic(theta, rng):
    """Number of the infected after each day, from one at the start."""
    rate, duration = theta
    susceptible, infected, found = N - 1, 1, []
    for step in range(4 * len(sick)):
        new = rng.binomial(susceptible, 1 - np.exp(-rate * infected / N / 4))
        over = rng.binomial(infected, 1 - np.exp(-1 / duration / 4))
        susceptible, infected = susceptible - new, infected + new - over
        if step % 4 == 3:
            found.append(infected)
    return np.array(found)[:, None]


# %%
# Two parameters: contacts that infect, each day, and days until recovery. The summaries
# are square roots of the counts, whose noise is alike for few and for many.
priors = {"contacts": uniform(0.5, 4), "days": uniform(0.5, 5)}
abc = ABC(epidemic, priors, np.sqrt, n_particles=300, n_simulations=6000)
abc.set_params(random_state=0).fit(sick[:, None])
contacts, days = abc.particles_.T
for name, value in [
    ("infections by the first one", contacts * days),
    ("days until recovery", days),
]:
    mean = abc.weights_ @ value
    sd = np.sqrt(abc.weights_ @ (value - mean) ** 2)
    print(f"{name}: {mean:.2f} ± {sd:.2f}")
print(f"{abc.n_effective_:.0f} of {len(days)} particles count")

# %%
# New simulations with draws from the posterior are the check that always comes last:
# here the data lie among them.
rng = np.random.default_rng(0)
draws = abc.sample(200, random_state=0)
replicas = np.hstack([epidemic(theta, rng) for theta in draws])
before = np.hstack(
    [
        epidemic([p.rvs(random_state=rng) for p in priors.values()], rng)
        for _ in range(60)
    ]
)
figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
low, middle, high = np.quantile(replicas, [0.05, 0.5, 0.95], axis=1)
day = np.arange(1, len(sick) + 1)
axes[0].plot(day, before, color="lightgrey", lw=0.5)
axes[0].fill_between(day, low, high, alpha=0.4, label="posterior, 90 %")
axes[0].plot(day, middle, label="median")
axes[0].plot(day, sick, "k.", label="observed")
axes[0].set(title="simulations", xlabel="day", ylabel="in bed")
axes[0].legend()
axes[1].scatter(contacts, days, s=2000 * abc.weights_, alpha=0.4)
axes[1].set(
    title="posterior", xlabel="infections per day", ylabel="days until recovery"
)
axes[2].plot(abc.tolerances_, ".-")
axes[2].set(title="tolerances", xlabel="step", ylabel="distance", yscale="log")
plt.show()
