from tests.fixtures.two_axes import two_axes

__all__ = ["two_axes"]
