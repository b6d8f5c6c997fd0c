import torch

from model_server.serving.prefix_cache import MAX_ENTRIES, MIN_TOKENS, Prefix, PrefixCache, shared_length


def prefix(*ids: int) -> Prefix:
    tensor = torch.tensor(ids, dtype=torch.float32).reshape(1, -1, 1)
    return Prefix(ids, ((tensor, tensor),))


LONG = tuple(range(40))


def test_the_longest_beginning_is_found_short_of_the_last_token() -> None:
    cache = PrefixCache(10_000)
    cache.keep("m", prefix(*LONG[:20], *[99] * 20))
    cache.keep("m", prefix(*LONG))

    found = cache.longest("m", LONG)

    assert found is not None
    assert found.ids == LONG[:-1]
    assert found.layers[0][0].shape == (1, 39, 1)


def test_short_beginnings_and_other_models_are_nothing() -> None:
    cache = PrefixCache(10_000)
    cache.keep("m", prefix(*LONG))

    assert cache.longest("m", [*LONG[: MIN_TOKENS - 1], 99, 99]) is None
    assert cache.longest("other", LONG) is None


def test_bytes_and_entries_are_bounded_and_the_oldest_goes_first() -> None:
    size = prefix(*LONG).bytes
    cache = PrefixCache(3 * size)
    for first in range(5):
        cache.keep("m", prefix(first + 100, *LONG[1:]))

    assert cache.bytes == 3 * size
    assert cache.longest("m", [100, *LONG[1:], 1]) is None
    assert cache.longest("m", [104, *LONG[1:], 1]) is not None
    many = PrefixCache(1_000_000)
    for first in range(MAX_ENTRIES + 9):
        many.keep("m", prefix(first + 100, *LONG[1:]))
    assert len(many) == MAX_ENTRIES


def test_a_longer_prompt_takes_the_place_of_its_own_beginning() -> None:
    cache = PrefixCache(10_000)
    cache.keep("m", prefix(*LONG))
    cache.keep("m", prefix(*LONG, 7, 8))

    assert len(cache) == 1


def test_nothing_is_kept_without_room_or_after_forgetting() -> None:
    none, cache = PrefixCache(0), PrefixCache(10_000)
    none.keep("m", prefix(*LONG))
    cache.keep("m", prefix(*LONG))
    cache.forget("m")

    assert (len(none), len(cache), cache.bytes) == (0, 0, 0)


def test_shared_length() -> None:
    assert shared_length((1, 2, 3, 4), (1, 2, 3, 9)) == 3
    assert shared_length((1, 2, 3), (1, 2, 3, 9)) == 3
    assert shared_length((1, 2), (9, 2)) == 0
    assert shared_length((1, 2, 3, 4), (1, 2, 3, 9), more_than=3) == 0
