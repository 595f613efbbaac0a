"""Root groups: what is hidden together when a partition must not have seen a source.

A source and everything that speaks for it form one root group: its brand if it has one,
else its domain, else its author, else itself. Cross-fitting gives every root group to one
fold; the partition of that fold is learned without any post that carries one of its groups.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from engine.csr import Ints, Longs
from engine.model import TOPIC_KINDS
from engine.params import SourceKind
from engine.snapshot import Brands, Snapshot, Topics

__all__ = ["DEFAULT_SOURCES", "Flags", "RootGroups", "folds", "root_groups"]

Flags = npt.NDArray[np.bool_]

DEFAULT_SOURCES: Final[tuple[SourceKind, ...]] = ("user", "brand", "domain")
"""Kinds of sources that are scored where nobody asks for others."""

_DOMAIN: Final = TOPIC_KINDS.index("domain")
_URL: Final = TOPIC_KINDS.index("url")
_HOST: Final = (
    r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@?#]*@)?(?P<host>[^/:?#@]+\.[a-z][a-z0-9-]+)(?:[:/?#]|$)"
)


@dataclass(frozen=True, slots=True, eq=False)
class RootGroups:
    """The root group of every user, topic, brand and content, as index into `names`.

    `names` are sorted, so that group numbers do not depend on the order of loading.
    `of_content` is the group of the content itself as a source: that of its author, else of
    the first topic it is about, else its own. `about_content` and `about_group` list, sorted
    and each once, the groups of the topics each content is about.
    """

    names: pa.StringArray
    of_user: Ints
    of_topic: Ints
    of_brand: Ints
    of_content: Ints
    about_content: Ints
    about_group: Ints

    def __len__(self) -> int:
        return len(self.names)

    def about(self, hidden: Flags) -> Flags:
        """Say of each content whether it is about a hidden group."""
        found = np.zeros(len(self.of_content), np.bool_)
        found[self.about_content[hidden[self.about_group]]] = True
        return found

    def carrying(self, hidden: Flags) -> Flags:
        """Say of each content whether it is by or about a hidden group."""
        return self.about(hidden) | hidden[self.of_content]

    def of_sources(self, snapshot: Snapshot, kinds: tuple[SourceKind, ...]) -> Flags:
        """Say of each group whether a source of one of these kinds belongs to it."""
        found = np.zeros(len(self), np.bool_)
        if {"user", "content", "platform"} & set(kinds):
            found[self.of_user] = True
        if "brand" in kinds:
            found[self.of_brand] = True
        wanted = [TOPIC_KINDS.index(k) for k in kinds if k in TOPIC_KINDS]
        found[self.of_topic[np.isin(snapshot.topics.kind, wanted)]] = True
        return found


def root_groups(snapshot: Snapshot) -> RootGroups:
    """Return the root groups of a snapshot. O(things + rows of topics).

    A user or domain of a brand belongs to the brand; brands that share an account or a
    domain are one group. A url belongs to the domain it names, where its label reads as an
    address, else to the domain most of its contents are about. A hashtag or image is its own
    group, and so is a content without author or topic.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from engine.assemble import assemble
    >>> s = assemble({"topics": pa.table({"content_id": ["x:1", "x:1"], "kind": ["url", "domain"],
    ...     "label": ["https://www.acme.com/a", "acme.com"]})})
    >>> g = root_groups(s)
    >>> g.names.to_pylist(), g.of_topic.tolist(), g.of_content.tolist()
    (['domain:acme.com'], [0, 0], [0])
    """
    brands, topics = snapshot.brands, snapshot.topics
    brand_names = _brand_names(brands)
    owner = _first_owner(brands.account_user, brands.account_brand, len(snapshot.users))
    users = _where(owner, brand_names, _prefixed("user", snapshot.users.user_id))
    topic_names = _topic_names(topics, brands, brand_names)
    contents = _content_names(snapshot, users, topic_names)
    names = pa.chunked_array([users, topic_names, brand_names, contents]).unique()
    names = names.take(pc.array_sort_indices(names))
    of_topic = _codes(topic_names, names)
    pairs = np.unique(topics.content.astype(np.int64) * max(len(names), 1) + of_topic[topics.topic])
    about_content, about_group = np.divmod(pairs, max(len(names), 1))
    return RootGroups(
        names=names,
        of_user=_codes(users, names),
        of_topic=of_topic,
        of_brand=_codes(brand_names, names),
        of_content=_codes(contents, names),
        about_content=about_content.astype(np.int32),
        about_group=about_group.astype(np.int32),
    )


def folds(groups: RootGroups, count: int, seed: int) -> Ints:
    """Give each group to one of `count` folds, by a hash of its name keyed with the seed.

    A group keeps its fold whatever else is in the data. About a microsecond a group.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from engine.assemble import assemble
    >>> s = assemble({"users": pa.table({"user_id": ["x:a", "x:b", "x:c"]})})
    >>> folds(root_groups(s), 2, seed=1).tolist()
    [0, 0, 1]
    """
    key = seed.to_bytes(8, "little", signed=False)
    words = b"".join(
        hashlib.blake2b(name.encode(), digest_size=8, key=key).digest()
        for name in groups.names.to_pylist()
    )
    return (np.frombuffer(words, "<u8") % np.uint64(count)).astype(np.int32)


def _prefixed(word: str, ids: pa.StringArray) -> pa.StringArray:
    return pc.binary_join_element_wise(pa.scalar(word), ids, ":")


def _codes(values: pa.StringArray, names: pa.StringArray) -> Ints:
    return np.asarray(pc.index_in(values, names).to_numpy(zero_copy_only=False)).astype(np.int32)


def _where(owner: Ints, names: pa.StringArray, otherwise: pa.StringArray) -> pa.StringArray:
    """Take the owner's name where there is one (-1 is none)."""
    return pc.coalesce(names.take(pa.array(owner, mask=owner < 0)), otherwise)


def _first_owner(thing: Ints, brand: Ints, count: int) -> Ints:
    owner = np.full(count, -1, np.int32)
    owner[thing[::-1]] = brand[::-1]  # rows come by brand: the first one wins
    return owner


def _brand_names(brands: Brands) -> pa.StringArray:
    """Name each brand by the first of those it shares an account or a domain with."""
    count = len(brands)
    if count == 0:
        return brands.brand_id
    users = int(brands.account_user.max(initial=-1)) + 1
    things = np.concatenate((brands.account_user, users + brands.domain_topic))
    owners = np.concatenate((brands.account_brand, brands.domain_brand))
    nodes = count + int(things.max(initial=-1)) + 1
    owned = sparse.coo_array(
        (np.ones(len(owners), np.int8), (owners, count + things)), shape=(nodes, nodes)
    )
    _, part = sparse.csgraph.connected_components(owned, directed=False)
    _, first, which = np.unique(part[:count], return_index=True, return_inverse=True)
    return brands.brand_id.take(pa.array(first[which]))


def _topic_names(topics: Topics, brands: Brands, brand_names: pa.StringArray) -> pa.StringArray:
    owner = _first_owner(brands.domain_topic, brands.domain_brand, len(topics))
    is_domain = topics.kind == _DOMAIN
    as_domain = _prefixed("domain", _host_name(topics.label))
    plain = pc.if_else(pa.array(is_domain), as_domain, topics.topic_id)
    names = _where(owner, brand_names, plain)
    urls = np.flatnonzero(topics.kind == _URL)
    if len(urls) == 0:
        return names
    host = pc.struct_field(pc.extract_regex(pc.utf8_lower(topics.label.take(urls)), _HOST), "host")
    named = _prefixed("domain", _host_name(host))
    # An address may name a domain that is a topic as well, and then a brand may own it.
    domains = np.flatnonzero(is_domain)
    at = pc.index_in(named, as_domain.take(domains), skip_nulls=True)
    carried = _domain_of_urls(topics, len(topics))[urls]
    found = pc.coalesce(
        names.take(domains).take(at),
        named,
        names.take(pa.array(carried, mask=carried < 0)),
        names.take(urls),
    )
    place = np.full(len(topics), -1, np.int64)
    place[urls] = np.arange(len(urls))
    return pc.coalesce(found.take(pa.array(place, mask=place < 0)), names)


def _host_name(label: pa.StringArray) -> pa.StringArray:
    return pc.replace_substring_regex(pc.utf8_lower(label), r"^www\.", "")


def _domain_of_urls(topics: Topics, count: int) -> Longs:
    """Return the domain topic that most contents of each url are about, -1 for none."""
    kind = topics.kind[topics.topic]
    url, domain = kind == _URL, kind == _DOMAIN
    content = topics.content[domain]  # sorted
    first = np.searchsorted(content, topics.content[url], "left")
    many = np.searchsorted(content, topics.content[url], "right") - first
    of_url = np.repeat(topics.topic[url], many).astype(np.int64)
    offset = np.arange(len(of_url)) - np.repeat(np.cumsum(many) - many, many)
    of_domain = topics.topic[domain][np.repeat(first, many) + offset]
    pairs, times = np.unique(of_url * max(count, 1) + of_domain, return_counts=True)
    url_of, domain_of = np.divmod(pairs, max(count, 1))
    order = np.lexsort((-domain_of, times, url_of))  # the last of each url: most, then lowest
    found = np.full(count, -1, np.int64)
    found[url_of[order]] = domain_of[order]
    return found


def _content_names(
    snapshot: Snapshot, users: pa.StringArray, topic_names: pa.StringArray
) -> pa.StringArray:
    author = snapshot.contents.author
    topic = np.full(len(snapshot.contents), -1, np.int32)
    topic[snapshot.topics.content[::-1]] = snapshot.topics.topic[::-1]
    return pc.coalesce(
        users.take(pa.array(author, mask=author < 0)),
        topic_names.take(pa.array(topic, mask=topic < 0)),
        _prefixed("content", snapshot.contents.content_id),
    )
