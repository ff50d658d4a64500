"""A mixin that belief/ derives from until it has densities."""

from sklearn.utils.validation import check_is_fitted


class PartitionMixin:
    """Lazy ``log_Z_`` and ``log_Z_se_``, for an estimator with ``_log_partition()``."""

    _LAZY = ("log_Z_", "log_Z_se_")

    def __getattr__(self, name):
        # Not properties: listing the attributes, as a notebook does to show an
        # estimator, must not start a long computation.
        if name in PartitionMixin._LAZY:
            check_is_fitted(self)
            self.log_Z_, self.log_Z_se_ = self._log_partition()
            return self.__dict__[name]
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}"
        )

    def _forget(self):
        """Drop values computed from parameters that have changed."""
        for name in self._LAZY:
            self.__dict__.pop(name, None)
