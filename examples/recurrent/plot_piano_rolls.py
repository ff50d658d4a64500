"""
Piano rolls, drawn step by step
===============================

A piano roll is a table with a row for each time step and a column for each key, with 1
for a sounding key. Here a small grammar generates tunes over chords. ``RNNNADE`` learns
the progression of chords and the tones that sound together, and then continues tunes.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import mido
import numpy as np

from skdgm import NADE, RNNNADE, VRNN

# %%
# Tunes of different lengths: a progression of four chords, each held for four steps,
# in one of three keys, with a voice above that moves to a neighboring tone of the
# chord. The key is chosen once, and must be remembered.

N_KEYS, CHORDS = 36, ([0, 4, 7], [9, 12, 16], [5, 9, 12], [7, 11, 14])


def tune(rng):
    root, voice, steps = 5 * rng.integers(3), rng.integers(3), []
    for bar in range(rng.integers(6, 14)):
        chord = [root + tone for tone in CHORDS[bar % 4]]
        for _ in range(4):
            voice = np.clip(voice + rng.integers(-1, 2), 0, 2)
            row = np.zeros(N_KEYS, np.float32)
            row[chord] = row[chord[voice] + 9] = 1
            steps.append(row)
    return np.array(steps)


rng = np.random.default_rng(0)
tunes = [tune(rng) for _ in range(120)]
train, test = tunes[:100], tunes[100:]
model = RNNNADE(40, n_recurrent=60, learning_rate=0.01, n_iter=80, random_state=0)
model.fit(train)

# %%
# Nats of a step: the recurrent net knows what comes next but for the voice's choice.
# Without the past, the same distribution of a step has to guess the chord, too.

still = NADE(40, n_iter=80, random_state=0).fit(np.concatenate(train))
print(f"given the past: {model.score(test):.2f} nats a step")
print(f"without it: {still.score(np.concatenate(test)):.2f} nats a step")

# %%
# A variational recurrent net has latent units in each step, which choose among what may
# come next. Its score is an estimate by particles, closer to the likelihood than the
# evidence lower bound.

latent = VRNN(8, n_hidden=40, n_recurrent=60, n_iter=20, random_state=0).fit(train)
bound = np.concatenate([part.bound for part in latent.elbo(test)]).mean()
print(f"latent units: {latent.score(test):.2f} nats a step, by the bound {bound:.2f}")

# %%
# A tune goes on after its first two bars, three times; and each step of the whole tune
# has a likelihood, here with a wrong chord put in.

first, wrong = test[0][:8], test[1].copy()
wrong[14:16] = np.roll(wrong[14:16], 1, axis=1)
drawn = model.sample_sequences(32, prefix=[first], n_samples=3, random_state=0)
rolls = [np.vstack([first, own]) for own in drawn]
figure, axes = plt.subplots(4, 1, figsize=(9, 9), layout="constrained")
for ax, roll in zip(axes, rolls):
    ax.imshow(roll.T, aspect="auto", origin="lower", cmap="Grays")
    ax.axvline(7.5, color="tab:red")
    ax.set(ylabel="key", title="given, then drawn")
axes[3].plot(model.score_samples(wrong), marker=".")
axes[3].axvspan(13.5, 15.5, color="tab:red", alpha=0.2)
axes[3].set(xlabel="step", ylabel="nats", title="a wrong chord at steps 14 and 15")
plt.show()

# %%
# To be heard, a roll becomes a MIDI file by ``mido`` (the extra ``midi``): a tone that
# sounds in neighboring steps is held.


def write_midi(roll, path, lowest=40, ticks=120):
    """Write a roll as a MIDI file; its first key is the note number ``lowest``."""
    silent = np.zeros((1, roll.shape[1]))
    changes = np.diff(np.vstack([silent, roll, silent]), axis=0)
    track, waited = mido.MidiTrack(), 0
    for change in changes:
        for key in np.flatnonzero(change):
            kind, note = "note_on" if change[key] > 0 else "note_off", lowest + int(key)
            track.append(mido.Message(kind, note=note, velocity=64, time=waited))
            waited = 0
        waited += ticks
    mido.MidiFile(tracks=[track], ticks_per_beat=4 * ticks).save(path)


folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "tune.mid"
write_midi(rolls[0], path)
print(f"{path.name}: {mido.MidiFile(path).length:.1f} seconds")
folder.cleanup()
