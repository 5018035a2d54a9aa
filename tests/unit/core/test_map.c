#include "core/map.h"

#include <errno.h>

#include "core/hash.h"
#include "core/list.h"
#include "unit/core/core_test.h"

struct thing {
	int number;
	char name[24];
	struct map_entry by_name;
	struct list link;
};

enum { COUNT = 5000 };

static struct thing things[COUNT];

static void fill(struct map *map)
{
	map_init(map);
	for (int i = 0; i < COUNT; i++) {
		things[i].number = i;
		snprintf(things[i].name, sizeof things[i].name, "thing %d", i);
		ck_assert_int_eq(map_add(map, &things[i].by_name, str_of(things[i].name)), 0);
	}
}

START_TEST(finds_what_was_added)
{
	struct map map;
	fill(&map);
	ck_assert_uint_eq(map.count, COUNT);
	for (int i = 0; i < COUNT; i++) {
		struct map_entry *entry = map_find(&map, str_of(things[i].name));
		ck_assert_ptr_eq(MAP_OF(entry, struct thing, by_name), &things[i]);
	}
	ck_assert_ptr_null(map_find(&map, STR("thing 5000")));
	ck_assert_ptr_null(map_find(&map, STR("")));
	map_deinit(&map);
}
END_TEST

START_TEST(refuses_a_second)
{
	struct map map;
	struct map_entry one, two, empty;
	map_init(&map);
	ck_assert_int_eq(map_add(&map, &one, STR("a")), 0);
	ck_assert_int_eq(map_add(&map, &two, STR("a")), -EEXIST);
	ck_assert_int_eq(map_add(&map, &empty, (struct str){0}), 0);
	ck_assert_ptr_eq(map_find(&map, STR("a")), &one);
	ck_assert_ptr_eq(map_find(&map, STR("")), &empty);
	ck_assert_uint_eq(map.count, 2);
	map_deinit(&map);
}
END_TEST

START_TEST(empty_holds_no_memory)
{
	struct map map;
	struct map_entry one;
	map_init(&map);
	ck_assert_ptr_null(map.buckets);
	ck_assert_ptr_null(map_find(&map, STR("a")));
	ck_assert_ptr_null(map_first(&map));
	ck_assert_int_eq(map_add(&map, &one, STR("a")), 0);
	map_remove(&map, &one);
	ck_assert_ptr_null(map.buckets);
	map_deinit(&map);
}
END_TEST

START_TEST(walk_may_remove_what_it_passed)
{
	struct map map;
	unsigned seen = 0;
	long sum = 0;
	fill(&map);
	for (struct map_entry *entry = map_first(&map), *next; entry; entry = next) {
		struct thing *thing = MAP_OF(entry, struct thing, by_name);
		next = map_next(&map, entry);
		seen++;
		sum += thing->number;
		map_remove(&map, entry);
	}
	ck_assert_uint_eq(seen, COUNT);
	ck_assert_int_eq(sum, (long)COUNT * (COUNT - 1) / 2);
	ck_assert_uint_eq(map.count, 0);
	ck_assert_ptr_null(map.buckets);
}
END_TEST

START_TEST(removed_is_gone)
{
	struct map map;
	fill(&map);
	for (int i = 0; i < COUNT; i += 2)
		map_remove(&map, &things[i].by_name);
	for (int i = 0; i < COUNT; i++)
		ck_assert_int_eq(map_find(&map, str_of(things[i].name)) != NULL, i % 2);
	map_deinit(&map);
}
END_TEST

/* SipHash-1-3, from Python 3.11's own (PYTHONHASHSEED=0, whose key is zero). */
START_TEST(hash_is_siphash)
{
	static const struct {
		const char *text;
		int64_t hash;
	} known[] = {
		{"a", INT64_C(4644417185603328019)},
		{"ab", INT64_C(6148830537548944441)},
		{"abcdefg", INT64_C(7904145750247929094)},
		{"abcdefgh", INT64_C(4574395652268504554)},
		{"abcdefghi", INT64_C(-532774252720507163)},
		{"constructor", INT64_C(5356391087625684001)},
		{"The quick brown fox jumps over the lazy dog", INT64_C(-8217249817990249186)},
	};
	const uint64_t zero[2] = {0, 0};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		int64_t hash = (int64_t)hash_bytes_keyed(zero, known[i].text, strlen(known[i].text));
		ck_assert_int_eq(hash, known[i].hash);
	}
	const uint64_t counting[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	ck_assert_uint_eq(hash_bytes_keyed(counting, NULL, 0), 0xabac0158050fc4dc);
	ck_assert_uint_eq(map_hash(STR("a")), map_hash(STR("a")));
	ck_assert_uint_ne(hash_bytes("a", 1), hash_bytes("b", 1));
}
END_TEST

START_TEST(list_keeps_order)
{
	struct list head;
	int expected = 0;
	list_init(&head);
	ck_assert(list_is_empty(&head));
	for (int i = 0; i < 10; i++) {
		things[i].number = i;
		list_append(&head, &things[i].link);
	}
	list_for_each (link, &head) {
		ck_assert_int_eq(LIST_OF(link, struct thing, link)->number, expected++);
	}
	ck_assert_int_eq(expected, 10);
	list_for_each_safe (link, &head) {
		if (LIST_OF(link, struct thing, link)->number % 2)
			list_remove(link);
	}
	list_remove(&things[1].link);
	expected = 0;
	list_for_each (link, &head) {
		ck_assert_int_eq(LIST_OF(link, struct thing, link)->number, expected);
		expected += 2;
	}
	ck_assert_int_eq(expected, 10);
}
END_TEST

CORE_TESTS("map", finds_what_was_added, refuses_a_second, empty_holds_no_memory, walk_may_remove_what_it_passed,
	   removed_is_gone, hash_is_siphash, list_keeps_order)
