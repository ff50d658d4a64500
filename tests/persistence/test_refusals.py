"""Files that are refused, by an error with a name."""

import io
import json
import pickle
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import skdgm
from skdgm import DBN, BernoulliRBM
from skdgm.callbacks import Checkpoint
from skdgm.data.scales import scores_of
from skdgm.exceptions import (
    CorruptFileError,
    ModelFileError,
    NewerFileError,
    OlderFileError,
    OversizedFileError,
    UnknownTypeError,
)
from skdgm.nets import Part
from skdgm.persistence import files
from skdgm.persistence.decoder import Decoder
from skdgm.persistence.encoder import SPARSE, Encoder
from tests.persistence.same import assert_identical

BITS = np.random.default_rng(0).integers(0, 2, (20, 4))
RBM = BernoulliRBM(2, n_iter=0, random_state=np.random.RandomState(0)).fit(BITS)


@pytest.mark.parametrize("path", [None, 3.5, ("a", "b"), len], ids=repr)
def test_paths_are_checked(path):
    for call in skdgm.load, lambda p: skdgm.save(RBM, p), Checkpoint:
        with pytest.raises(TypeError, match="path must be text or a path; got"):
            call(path)


def test_paths_may_be_bytes(tmp_path):
    path = bytes(tmp_path / "model.skdgm")
    skdgm.save(RBM, path)
    assert_identical(skdgm.load(path), RBM)


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "model.skdgm"
    skdgm.save(RBM, found)
    return found


def members(path):
    """What a model file consists of: its tree, and bytes by name."""
    with zipfile.ZipFile(path) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(found.pop("model.json")), found


def write(path, tree, parts, **options):
    """Write a model file of other parts."""
    with zipfile.ZipFile(path, "w", **options) as archive:
        archive.writestr("model.json", json.dumps(tree))
        for name, data in parts.items():
            archive.writestr(name, data)


def npy(array, *, shape=None, **options):
    """Bytes of an array; with another shape in its header if one is given."""
    file = io.BytesIO()
    np.save(file, array, **options)
    if shape is None:
        return file.getvalue()
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": shape}
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + array.tobytes()


def test_what_is_no_model_file(tmp_path):
    path = tmp_path / "model.skdgm"
    with pytest.raises(FileNotFoundError):
        skdgm.load(path)
    np.savez(tmp_path / "arrays.npz", BITS)
    empty = {"format": "other"}
    write(tmp_path / "other.zip", empty, {})
    for data in (
        b"",
        b"text",
        pickle.dumps(RBM),
        (tmp_path / "arrays.npz").read_bytes(),
        (tmp_path / "other.zip").read_bytes(),
    ):
        path.write_bytes(data)
        with pytest.raises(CorruptFileError):
            skdgm.load(str(path))


def test_files_that_were_cut(path):
    data = path.read_bytes()
    for length in range(0, len(data), 61):
        path.write_bytes(data[:length])
        with pytest.raises(CorruptFileError, match=r"model\.skdgm' is no sound model"):
            skdgm.load(path)


@pytest.mark.exhaustive
def test_files_with_a_changed_byte(path):
    data, refused = path.read_bytes(), 0
    for place in range(0, len(data), 23):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        try:
            # Some bytes, such as dates, mean nothing.
            assert_identical(RBM, skdgm.load(path))
        except ModelFileError:
            refused += 1
    assert refused > len(data) / 23 / 2


def places(node, way=()):
    """The ways to all nodes of a tree."""
    if isinstance(node, list | dict):
        for key in range(len(node)) if isinstance(node, list) else list(node):
            yield (*way, key)
            yield from places(node[key], (*way, key))


@pytest.mark.exhaustive
def test_trees_with_a_node_of_another_type(path):
    tree, parts = members(path)
    ways = list(places(tree))
    values = None, True, -1, 3, 1e300, "x", [], [1], {}, {"array": 99}, {"same": 7}
    refused = 0
    for number, way in enumerate(ways[::2]):
        other = json.loads(json.dumps(tree))
        node = other
        for key in way[:-1]:
            node = node[key]
        for value in values[number % 5 :: 5]:
            node[way[-1]] = value
            write(path, other, parts)
            try:
                assert isinstance(skdgm.load(path), BernoulliRBM)
            except ModelFileError:
                refused += 1
        del node[way[-1]]
        write(path, other, parts)
        try:
            skdgm.load(path)
        except ModelFileError:
            refused += 1
    assert refused > len(ways) / 2


def refusal(path, change, error, match):
    """Fail unless a changed file is refused by an error."""
    tree, parts = members(path)
    write(path, *change(tree, parts))
    with pytest.raises(error, match=match):
        skdgm.load(path)
    skdgm.save(RBM, path)


def test_versions(path):
    def of(schema):
        return lambda tree, parts: (tree | {"schema": schema, "estimator": 1}, parts)

    newer = r"is of format 5, and this version of skdgm reads formats up to 4: update"
    refusal(path, of(files.SCHEMA + 1), NewerFileError, newer)
    refusal(path, of(files.SCHEMA - 1), OlderFileError, "had other options")
    refusal(path, of("1"), CorruptFileError, "a str in place of a int")


def test_models_of_before_options_were_in_groups(path):
    old = Path(__file__).parent / "files" / "format_3.skdgm"
    told = "is of format 3, of an earlier version of skdgm, which had other options"
    with pytest.raises(OlderFileError, match=told):
        skdgm.load(old)

    def flat(tree, parts):
        tree["estimator"]["attributes"] |= {"momentum": 0.5, "schedule": "constant"}
        return tree, parts

    told = r"an earlier version of skdgm, in which \['momentum', 'schedule'\] were sep"
    refusal(path, flat, OlderFileError, told)
    state = vars(RBM) | {"momentum": 0.5, "schedule": "constant"}
    with pytest.raises(OlderFileError, match=told):
        BernoulliRBM().__setstate__(state)


def test_classes_that_are_not_ours(path):
    def of(name, **more):
        def change(tree, parts):
            attributes = tree["estimator"]["attributes"]
            attributes["batch_size"] = {name: "os.system", **more}
            return tree, parts

        return change

    told = r"asks for the (estimator|record) 'os\.system', which this version of skdgm"
    refusal(path, of("estimator", attributes={}, id=9), UnknownTypeError, told)
    refusal(path, of("record", fields={}), UnknownTypeError, told)
    refusal(path, of("pandas", parts={}), CorruptFileError, "'os.system' of pandas")
    refusal(path, of("call"), CorruptFileError, "of no known kind")
    refusal(path, of("dtype"), CorruptFileError, "has the dtype 'os.system'")
    refusal(path, of("scalar", value=1), CorruptFileError, "invalid value 'os.system'")


def test_records_have_all_of_their_fields():
    own = Encoder()
    node = own.node(Part((np.zeros(1),), ()), "part")
    del node["fields"]["past"]
    with pytest.raises(CorruptFileError, match="instead of"):
        Decoder(own.arrays.__getitem__).value(node)


def test_fields_that_are_newer_than_a_file_have_their_defaults():
    own, scale = Encoder(), scores_of(np.arange(9.0), np.ones(9))
    node = own.node(scale, "scale")
    del node["fields"]["waves"]
    found = Decoder(own.arrays.__getitem__).value(node)
    assert found.waves.size == 0
    np.testing.assert_array_equal(found.share, scale.share)


def test_attributes_that_would_hide_code(path):
    for name in ("fit", "density_", "__class__", "not a name", "_options"):

        def change(tree, parts, name=name):
            tree["estimator"]["attributes"][name] = 1
            return tree, parts

        refusal(path, change, CorruptFileError, "attributes .*, which are no data")

    def lacking(tree, parts):
        del tree["estimator"]["attributes"]["n_iter"]
        return tree, parts

    refusal(path, lacking, CorruptFileError, r"without \['n_iter'\]")


def test_arrays(path):
    def of(data):
        return lambda tree, parts: (tree, parts | {"arrays/0.npy": data})

    ones = np.ones(3)
    huge = OversizedFileError
    refusal(path, of(npy(ones, shape=(10**15,))), huge, "claims to have the shape")
    refusal(path, of(npy(ones, shape=(2**62, 2**62))), huge, "claims to have the shape")
    refusal(path, of(npy(ones, shape=(2,))), huge, "claims to have the shape")
    objects = npy(np.array([RBM], dtype=object), allow_pickle=True)
    refusal(path, of(objects), CorruptFileError, r"has the header .*\|O")
    refusal(path, of(npy(np.ones(2, "i4,f8"))), CorruptFileError, "has the header")
    refusal(path, of(npy(ones, shape=(-3,))), CorruptFileError, "has the header")
    refusal(path, of(b"nonsense"), CorruptFileError, "is no sound model file")
    long = npy(ones)[:9] + b"\xff" + npy(ones)[10:]
    refusal(path, of(long), CorruptFileError, "has the header")
    flags = npy(np.array([True, False]))
    refusal(path, of(flags[:-1] + b"\x07"), CorruptFileError, "are no bool")
    text = npy(np.array(["a"]))
    refusal(path, of(text[:-1] + b"\x07"), CorruptFileError, "are no <U1")


SQUARE = np.eye(5) + np.eye(5, k=2)
# Of all that a file may declare.
DECLARED = {
    "sparse": [getattr(sp, name)(SQUARE) for name in sorted(SPARSE)],
    "indexes": [
        pd.RangeIndex(5),
        pd.Index(["a", "b"]),
        pd.CategoricalIndex(["a", "b", "a"]),
        pd.interval_range(0, 5),
    ],
    "dtypes": [pd.CategoricalDtype([1, 2]), np.dtype("f4"), pd.SparseDtype("f4")],
    "times": [pd.Timestamp("2020-01-01", tz="UTC"), pd.Period("2020-01", "M")],
    "objects": np.array([["a", None]], dtype=object),
    "arrays": [np.ones((2, 3)), np.array(["ab"]), np.array([b"ab"]), np.ones(2) > 0],
    "random": np.random.RandomState(0),
}
HOSTILE = 10**12, 2**31, 2**62, 10**30, -1, 1.5, float("nan"), "<U0", True, None
HOSTILE += {"tuple": [10**12, 10**12]}, {"tuple": [3]}, [10**12, 0], {"array": 0}


def hostile(tree, parts, rng):
    """Change one or two nodes of a tree, or the header of an array."""
    tree, parts = json.loads(json.dumps(tree)), dict(parts)
    for _ in range(rng.integers(1, 3)):
        if rng.random() < 0.2:
            name = list(parts)[rng.integers(len(parts))]
            descr = rng.choice(["<f8", "<U0", "|S0", "<U999999999", "|b1", "<M8[s]"])
            shape = [(10**12,), (2**40, 2**40), (0, 2**62), (3,)][rng.integers(4)]
            header = {"descr": str(descr), "fortran_order": False, "shape": shape}
            file = io.BytesIO()
            np.lib.format.write_array_header_1_0(file, header)
            parts[name] = file.getvalue() + parts[name][-8:]
            continue
        ways = [way for way in places(tree) if "estimator" in way and len(way) > 3]
        way = ways[rng.integers(len(ways))]
        node = tree
        for key in way[:-1]:
            node = node[key]
        node[way[-1]] = HOSTILE[rng.integers(len(HOSTILE))]
    return tree, parts


@pytest.mark.release
def test_no_file_takes_more_than_it_has(path):
    """What a file declares is bounded by what it holds."""
    tree, parts = members_of(BernoulliRBM(batch_size=DECLARED), path)
    rng, messages = np.random.default_rng(0), []
    skdgm.load(path)
    tracemalloc.start()
    for _ in range(150):
        write(path, *hostile(tree, parts, rng))
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        try:
            skdgm.load(path)
        except ModelFileError as error:
            messages.append(str(error))
        peak = tracemalloc.get_traced_memory()[1] - before
        assert peak < 50 * path.stat().st_size
    tracemalloc.stop()
    assert len(messages) > 50
    assert max(map(len, messages)) < 1000 + len(str(path))


def test_sparse_arrays_are_what_the_file_has(path):
    def refused(value, name, part, message):
        tree, parts = members_of(BernoulliRBM(batch_size=value), path)
        node = tree["estimator"]["attributes"]["batch_size"]["parts"]
        node[name] = part
        write(path, tree, parts)
        with pytest.raises(ModelFileError, match=message):
            skdgm.load(path)

    huge = {"tuple": [10**12, 5]}
    for name in "csr", "bsr", "lil":
        refused(getattr(sp, f"{name}_array")(SQUARE), "shape", huge, "no sound model")
    refused(pd.RangeIndex(3), "stop", 10**12, "a range longer than itself")
    coo = sp.coo_array(SQUARE)
    refused(coo, "shape", {"tuple": [2, 2]}, "no sound model")
    # Places that lead out of the array would crash a method later on.
    tree, parts = members_of(BernoulliRBM(batch_size=sp.csr_array(SQUARE)), path)
    place = tree["estimator"]["attributes"]["batch_size"]["parts"]["indices"]["array"]
    parts[f"arrays/{place}.npy"] = npy(np.full(8, 77, np.int32))
    write(path, tree, parts)
    with pytest.raises(CorruptFileError, match="no sound model"):
        skdgm.load(path)


def test_many_objects_of_one_array(path):
    tree, parts = members_of(BernoulliRBM(batch_size=sp.csr_array(SQUARE)), path)
    attributes = tree["estimator"]["attributes"]
    attributes["batch_size"] = [attributes["batch_size"]] * 50
    nodes = attributes["batch_size"][0]["parts"]
    for name, array in (
        ("data", np.ones(10**5)),
        ("indices", np.arange(10**5) % 5),
        ("indptr", np.array([0, 10**5, 10**5, 10**5, 10**5, 10**5])),
    ):
        parts[f"arrays/{nodes[name]['array']}.npy"] = npy(array)
    write(path, tree, parts)
    with pytest.raises(OversizedFileError, match="16 times its own size"):
        skdgm.load(path)


def test_messages_are_brief(path):
    def change(tree, parts):
        tree["estimator"]["attributes"]["not a name" * 10**4] = 1
        return tree, parts

    brief = r"^.{,700}$"
    refusal(path, change, CorruptFileError, brief)
    refusal(path, lambda t, p: (t, p | {"m" * 60_000: b""}), CorruptFileError, brief)


def test_zips(path):
    tree, parts = members(path)
    write(path, tree, parts, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(CorruptFileError, match="has compressed parts"):
        skdgm.load(path)
    write(path, tree, parts | {"more.py": b"print()"})
    with pytest.raises(CorruptFileError, match=r"more than a model: \['more.py'\]"):
        skdgm.load(path)
    with (
        pytest.warns(UserWarning, match="Duplicate"),
        zipfile.ZipFile(path, "a") as file,
    ):
        file.writestr("model.json", "{}")
    with pytest.raises(CorruptFileError, match="parts of the same name"):
        skdgm.load(path)
    skdgm.save(RBM, path)
    data = bytearray(path.read_bytes())
    place = data.index(b"PK\x01\x02") + 20
    data[place : place + 8] = struct.pack("<II", 2**31, 2**31)
    path.write_bytes(data)
    with pytest.raises(OversizedFileError, match="more than its own size"):
        skdgm.load(path)


def test_trees_without_end(path):
    deep = b'{"format": "skdgm model", "schema": 4, "estimator": ' + b"[" * 10**5
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.json", deep)
    with pytest.raises(CorruptFileError, match="is no sound model file"):
        skdgm.load(path)


def members_of(estimator, path):
    """What the file of an estimator consists of."""
    skdgm.save(estimator, path)
    return members(path)


def test_ids(path):
    shared = BernoulliRBM(3)
    tree, parts = members_of(DBN(layers=[("a", shared), ("b", BernoulliRBM(2))]), path)
    layers = tree["estimator"]["attributes"]["layers"]
    layers[1]["tuple"][1]["id"] = layers[0]["tuple"][1]["id"]
    write(path, tree, parts)
    with pytest.raises(CorruptFileError, match="two objects of id"):
        skdgm.load(path)
    layers[1]["tuple"][1] = {"same": 77}
    write(path, tree, parts)
    with pytest.raises(CorruptFileError, match="is no sound model file"):
        skdgm.load(path)


def test_generators(path):
    def position(tree, parts):
        state = tree["estimator"]["attributes"]["random_state"]["random_state"]
        pairs = dict(map(tuple, state["dict"]))["state"]["dict"]
        dict(map(tuple, pairs))
        pairs[[name for name, _ in pairs].index("pos")][1] = 10**6
        return tree, parts

    refusal(path, position, CorruptFileError, "a RandomState that is none")


def test_bytes_that_are_no_json(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.json", b"\xff\xfe{}")
    with pytest.raises(CorruptFileError):
        skdgm.load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.json", "[" + "9" * 10**4 + "]")
    with pytest.raises(CorruptFileError):
        skdgm.load(path)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder: .*missing'"):
        skdgm.save(DBN(), tmp_path / "missing" / "model.skdgm")
    assert not list(tmp_path.iterdir())


def test_messages_are_as_long_as_can_be_read():
    most = files._LONGEST_MESSAGE
    for length in (1, most // 2 + 1, most):
        assert files._brief(ValueError("x" * length)) == "x" * length
    text = "a" * most + "b" * most
    half = most // 2
    assert files._brief(ValueError(text)) == "a" * half + " ... " + "b" * half


@pytest.mark.parametrize("byte", [0, 1, 2, 255])
def test_bytes_that_are_no_booleans(byte):
    data, dtype = np.array([0, 1, byte], np.uint8), np.dtype(bool)
    if byte < 2:
        files._check_values(data, dtype, "a.npy")
    else:
        with pytest.raises(CorruptFileError, match=r"a\.npy has bytes that are no"):
            files._check_values(data, dtype, "a.npy")


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("last", [0x10FFFF, 0x110000])
def test_numbers_that_are_no_characters(order, last):
    data = np.array([65, last], f"{order}u4").view(np.uint8)
    dtype = np.dtype(f"{order}U2")
    if last == 0x10FFFF:
        files._check_values(data, dtype, "a.npy")
    else:
        with pytest.raises(CorruptFileError, match="bytes that are no"):
            files._check_values(data, dtype, "a.npy")


def test_objects_may_be_some_times_as_large_as_their_file():
    decoder = Decoder(None, 8)
    for _ in range(16):
        decoder._copy([np.zeros(1)])
    with pytest.raises(OversizedFileError, match="16 times its own size"):
        decoder._copy([np.zeros(1)])


def test_headers_of_arrays_of_any_version(path):
    tree, parts = members(path)
    array = np.load(io.BytesIO(parts["arrays/0.npy"]))
    for version in (1, 0), (2, 0), (3, 0):
        file = io.BytesIO()
        np.lib.format.write_array(file, array, version)
        write(path, tree, parts | {"arrays/0.npy": file.getvalue()})
        skdgm.load(path)
