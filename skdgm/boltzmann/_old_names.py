"""Methods of machines that belief/ calls until it asks their densities."""

from skdgm.boltzmann._machine import Machine


def _of_density(name, skipped=0):
    """Method that calls one of the density, without its first arguments."""

    def method(self, *given, **options):
        return getattr(self.density_, name)(*given[skipped:], **options)

    return method


for _old, _new in {
    "_bracket": "bracket",
    "_problem": "problem",
    "_numerator": "numerator",
    "_annealed": "annealed",
    "_log_annealed": "annealed_from",
    "_sample": "sample",
    "_trace": "trace",
    "_visible_fields": "visible_fields",
    "_present": "present",
    "_features": "features_of",
}.items():
    setattr(Machine, _old, _of_density(_new))
for _old, _new in {
    "_hidden_means": "hidden_means",
    "_log_weight": "log_weight",
}.items():
    setattr(Machine, _old, _of_density(_new, 1))
Machine._filled = lambda self, *given: self.density_.chains.filled(*given)
Machine._chains_from = lambda self, *given: self.density_.chains.from_rows(*given)
Machine._TRAINER = property(lambda self: self._OBJECTIVE)
