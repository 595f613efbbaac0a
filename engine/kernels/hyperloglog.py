"""HyperLogLog: how many distinct users were put into a small table of registers.

Flajolet, Fusy, Gandouet, Meunier (2007), with the estimator of Ertl (2017). A sketch is 2^p
bytes. The first p bits of a user's hash choose a register, which keeps the highest rank seen:
one more than the zeros that lead the other bits. Sketches of the same p and seed merge by the
greater register, so a merged sketch is that of the union.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.csr import Floats, Ints, Longs
from engine.kernels.compile import kernel
from engine.kernels.hashing import seeded

__all__ = ["Registers", "count_registers", "estimates", "fill", "insert", "merge_into"]

Registers = npt.NDArray[np.uint8]


@kernel
def insert(registers: Registers, p: int, seed: int, user: int) -> None:
    """Put a user into a sketch of 2^p registers."""
    hashed = seeded(seed, user)
    place = hashed >> np.uint64(64 - p)
    # A bit set below the hash ends the count of zeros: a rank is at most 65 - p.
    rest = (hashed << np.uint64(p)) | (np.uint64(1) << np.uint64(p - 1))
    rank = np.uint8(1)
    while rest >> np.uint64(63) == 0:
        rest <<= np.uint64(1)
        rank += np.uint8(1)
    registers[place] = max(registers[place], rank)


@kernel
def merge_into(registers: Registers, other: Registers) -> None:
    """Make a sketch that of the union with another."""
    for i in range(len(registers)):
        registers[i] = max(registers[i], other[i])


@kernel
def _sigma(x: float) -> float:
    """Return what empty registers say: x + x^2 + 2 x^4 + 4 x^8 + ..., for x below 1."""
    y, z, before = 1.0, x, -1.0
    while z != before:
        x *= x
        before = z
        z += x * y
        y *= 2.0
    return z


@kernel
def _tau(x: float) -> float:
    """Return what registers at the highest rank say; 0 where there are none (x is 1)."""
    if x in (0.0, 1.0):
        return 0.0
    y, z, before = 1.0, 1.0 - x, -1.0
    while z != before:
        x = np.sqrt(x)
        before = z
        y *= 0.5
        z -= (1.0 - x) ** 2 * y
    return z / 3.0


@kernel
def count_registers(registers: Registers, whole: int) -> float:
    """Estimate the distinct users in a sketch, or in a part of the registers of one.

    `whole` is the number of registers of the whole sketch; `registers` may be fewer of them,
    which hold their part of the users. The estimator is that of Ertl (2017), which corrects
    small counts on the way and has no thresholds. O(registers).
    """
    m = len(registers)
    highest = 65 - int(np.log2(whole))
    many = np.zeros(66, np.int64)
    for rank in registers:
        many[rank] += 1
    if many[0] == m:
        return 0.0
    z = m * _tau(1.0 - many[highest] / m)
    for rank in range(highest - 1, 0, -1):
        z = 0.5 * (z + many[rank])
    z += m * _sigma(many[0] / m)
    return float(m * whole / (2.0 * np.log(2.0) * z))


@kernel
def estimates(  # noqa: PLR0917 - a kernel takes its arrays one by one
    offset: Longs,
    poster: Ints,
    indptr: Longs,
    follower: Ints,
    label: Ints,
    labels: int,
    large: Longs,
    large_label: Ints,
    sketches: npt.NDArray[np.uint8],
    seed: int,
) -> Floats:
    """Estimate distinct followers of each source's posters, by community and in all.

    The followers of one user in one community are a group. Large groups come as sketches and
    are merged; the followers in small ones are put in one by one. O(followers in small groups
    + large groups * 2^p).

    Parameters
    ----------
    offset, poster
        Posters of source s: `poster[offset[s]:offset[s + 1]]`.
    indptr, follower
        Followers of user v in small groups: `follower[indptr[v]:indptr[v + 1]]`.
    label
        Community of each user, -1 none; `labels` of them.
    large, large_label, sketches
        User v has the large groups `large[v]:large[v + 1]`, each with its community and its
        sketch: uint8[groups, 2^p].

    Returns
    -------
    Floats
        float64[sources, labels + 2]: in each community, in none, and in all.
    """
    sources, m = len(offset) - 1, sketches.shape[1]
    p = int(np.log2(m))
    found = np.zeros((sources, labels + 2))
    registers = np.zeros((labels + 1, m), np.uint8)
    union = np.zeros(m, np.uint8)
    for s in range(sources):
        registers[:] = 0
        union[:] = 0
        for i in range(offset[s], offset[s + 1]):
            v = poster[i]
            for j in range(indptr[v], indptr[v + 1]):
                insert(registers[label[follower[j]]], p, seed, follower[j])
            for g in range(large[v], large[v + 1]):
                merge_into(registers[large_label[g]], sketches[g])
        for c in range(labels + 1):
            merge_into(union, registers[c])
            found[s, c] = count_registers(registers[c], m)
        found[s, labels + 1] = count_registers(union, m)
    return found


@kernel
def fill(offset: Longs, user: Ints, p: int, seed: int) -> npt.NDArray[np.uint8]:
    """Sketch groups of users: group g has `user[offset[g]:offset[g + 1]]`. O(users in groups)."""
    sketches = np.zeros((len(offset) - 1, 1 << p), np.uint8)
    for g in range(len(offset) - 1):
        for j in range(offset[g], offset[g + 1]):
            insert(sketches[g], p, seed, user[j])
    return sketches
