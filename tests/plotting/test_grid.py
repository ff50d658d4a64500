"""Images in a grid."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skdgm.plotting._grid import ImageGrid, as_images, shared_limits


class Display:
    """Who asks."""


def test_square_images():
    rows = np.arange(18.0).reshape(2, 9)
    images = as_images(Display, rows)
    assert images.shape == (2, 3, 3)
    np.testing.assert_array_equal(images[1, 0], [9, 10, 11])


def test_other_shapes():
    images = as_images(Display, np.zeros((4, 6)), (2, 3))
    assert images.shape == (4, 2, 3)


def test_shapes_that_cannot_be_told():
    with pytest.raises(ValueError, match=r"6 pixels.*image_shape=\(height, width\)"):
        as_images(Display, np.zeros((4, 6)))


@pytest.mark.parametrize("shape", [(2, 2), (6,), (-2, -3), (1, 2, 3)])
def test_shapes_that_do_not_fit(shape):
    with pytest.raises(ValueError, match=r"image_shape=.*Display.*= 6"):
        as_images(Display, np.zeros((4, 6)), shape)


@pytest.mark.parametrize("rows", [np.zeros(6), np.zeros((0, 4)), np.zeros((2, 2, 2))])
def test_no_rows(rows):
    with pytest.raises(ValueError, match="rows of a table, at least one"):
        as_images(Display, rows)


def test_scales():
    assert shared_limits(np.array([0.2, np.nan, 0.4])) == (0, 1)
    assert shared_limits(np.array([-0.5, np.nan, 0.4])) == (-0.5, 0.4)
    assert shared_limits(np.array([0.5, 16.0])) == (0.5, 16)
    assert shared_limits(np.array([np.nan])) == (0, 1)


def test_places():
    grid = ImageGrid(Display, [np.zeros((5, 6))], image_shape=(2, 3), n_columns=2)
    gap = grid.gap
    np.testing.assert_allclose(
        grid.left[0], gap + (3 + gap) * np.array([0, 1] * 2 + [0])
    )
    np.testing.assert_allclose(grid.top[0], gap + (2 + gap) * np.array([0, 0, 1, 1, 2]))
    columns, rows = grid.middles()
    np.testing.assert_allclose(columns, gap + 1.5 + (3 + gap) * np.arange(2))
    np.testing.assert_allclose(rows, gap + 1 + (2 + gap) * np.arange(3))


def test_a_grid_is_nearly_square():
    grid = ImageGrid(Display, [np.zeros((100, 4))])
    columns, rows = grid.middles()
    assert len(columns) == len(rows) == 10


def test_parts_lie_below_one_another():
    parts = [np.zeros((4, 4)), np.ones((4, 4))]
    grid = ImageGrid(Display, parts, n_columns=2)
    np.testing.assert_array_equal(grid.left[0], grid.left[1])
    within = grid.top[1] - grid.top[0]
    between = grid.top[0, 2:] - grid.top[1, :2]
    np.testing.assert_allclose(within, 2 + grid.gap)
    assert (between > within[:2]).all()


def test_parts_of_other_lengths():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        ImageGrid(Display, [np.zeros((4, 4)), np.zeros((3, 4))])


@pytest.mark.parametrize("n_columns, error", [(0, ValueError), (2.5, TypeError)])
def test_numbers_of_columns(n_columns, error):
    with pytest.raises(error, match="n_columns"):
        ImageGrid(Display, [np.zeros((4, 4))], n_columns=n_columns)


def test_what_is_drawn():
    rows = np.random.default_rng(0).normal(size=(3, 4))
    rows[0, 1] = np.nan
    grid = ImageGrid(Display, [rows], n_columns=2)
    figure, ax, artists = grid.draw(labels=["one", "two"], im_kw={"cmap": "viridis"})
    assert artists.shape == (1, 3)
    for artist, row, left, top in zip(artists[0], rows, grid.left[0], grid.top[0]):
        shown = artist.get_array()
        np.testing.assert_array_equal(shown.filled(np.nan), row.reshape(2, 2))
        assert artist.get_extent() == [left, left + 2, top + 2, top]
        assert artist.get_clim() == (np.nanmin(rows), np.nanmax(rows))
        assert artist.get_cmap().name == "viridis"
    assert [text.get_text() for text in ax.get_yticklabels()] == ["one", "two"]
    np.testing.assert_allclose(ax.get_yticks(), grid.middles()[1])
    assert not len(ax.get_xticks())
    assert ax.get_aspect() == 1
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, grid.size[0]), (grid.size[1], 0))
    figure.canvas.draw()


def test_missing_pixels_have_a_color_of_their_own():
    _, _, artists = ImageGrid(Display, [[[0.0, np.nan, 0.5, 1.0]]]).draw()
    artist = artists[0, 0]
    red, green, blue, alpha = artist.to_rgba(artist.get_array())[0, 1]
    assert len({red, green, blue}) == 3
    assert alpha == 1
    # Maps that others use stay as they are.
    assert plt.get_cmap("gray").get_bad()[3] == 0


def test_a_norm_in_place_of_limits():
    norm = plt.Normalize(-2, 2)
    _, _, artists = ImageGrid(Display, [np.zeros((1, 4))]).draw(im_kw={"norm": norm})
    assert artists[0, 0].norm is norm
