/*
 * live_value - immutable data: null, bool, int64, double, string, binary, array, object with insertion order.
 *
 * A value never changes once it is built, so a snapshot is one pointer, and two trees share what they have in common.
 * "Changing" state makes a new object that shares the unchanged children. Values are counted: whoever holds one calls
 * live_value_unref when done. The count is atomic, so a value may be handed to another thread.
 *
 * Ownership, once and for all: functions that build a container or store a value take ownership of the values they are
 * given ("gives it away"), so that calls nest; functions that read borrow. A NULL value given to a builder counts as
 * null. What one may get wrong: live_get returns a loan that lives as long as the container; take a reference
 * (live_value_ref) to keep it longer.
 *
 * Threads: [any]. Building needs no lock, since nothing half-built is ever visible.
 */
#ifndef LIVE_VALUE_H
#define LIVE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <live/visibility.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct live_value live_value;

typedef enum live_type {
	LIVE_NULL,
	LIVE_BOOL,
	LIVE_INT,
	LIVE_DOUBLE,
	LIVE_STRING,
	LIVE_BINARY,
	LIVE_ARRAY,
	LIVE_OBJECT,
} live_type;

/* A place in an object or array during iteration: start with {0}. */
typedef struct live_iter {
	size_t index;
	const char *key;         /* objects: not NUL-terminated; a loan from the object */
	size_t key_len;          /* bytes */
	const live_value *value; /* a loan from the container */
} live_iter;

/* ---- building: each returns a new reference that the caller owns; never NULL (no memory aborts) ---- */

LIVE_API const live_value *live_null(void);
LIVE_API const live_value *live_bool(bool b);
LIVE_API const live_value *live_int(int64_t n);
/* A double that is an integer within +-2^53 (and not -0) becomes an int: JSON does not tell them apart. */
LIVE_API const live_value *live_double(double d);
/* text: NUL-terminated UTF-8; ill-formed sequences become U+FFFD. NULL gives live_null(). */
LIVE_API const live_value *live_string(const char *text);
/* As live_string, for len bytes that may hold NUL. */
LIVE_API const live_value *live_string_len(const char *text, size_t len);
/* A string made as printf does. */
LIVE_API const live_value *live_stringf(const char *format, ...) __attribute__((format(printf, 1, 2)));
LIVE_API const live_value *live_binary(const void *bytes, size_t len);
/* An array of the count values given; gives them away. */
LIVE_API const live_value *live_array(size_t count, const live_value *const *items);
/* An array of the arguments, which end with LIVE_END; gives them away. live_array_of(live_int(1), LIVE_END) */
LIVE_API const live_value *live_array_of(const live_value *first, ...);
/* An object of key, value pairs that end with NULL; gives the values away; of equal keys the last wins.
 * live_object("x", live_int(1), "y", live_int(2), NULL) */
LIVE_API const live_value *live_object(const char *key, ...) __attribute__((sentinel));
/* The end of live_array_of's arguments. */
#define LIVE_END ((const live_value *)0)

/* ---- counting ---- */

/* Takes one more reference; returns value. NULL gives NULL. */
LIVE_API const live_value *live_value_ref(const live_value *value);
/* Drops a reference; the last one frees the value and drops its children's. NULL is fine. Never recurses deeply. */
LIVE_API void live_value_unref(const live_value *value);

/* ---- reading: all take NULL as null, and a wrong type as "not there" ---- */

LIVE_API live_type live_value_type(const live_value *value);
LIVE_API bool live_is_null(const live_value *value);
/* true only for the boolean true. */
LIVE_API bool live_as_bool(const live_value *value);
/* The number, a double cut towards zero and held within int64; anything else gives fallback. */
LIVE_API int64_t live_as_int(const live_value *value, int64_t fallback);
LIVE_API double live_as_double(const live_value *value, double fallback);
/* The string's bytes, NUL-terminated (it may hold NULs before that); a loan; NULL unless a string. */
LIVE_API const char *live_as_string(const live_value *value);
/* Bytes of a string or binary, items of an array, members of an object, else 0. */
LIVE_API size_t live_len(const live_value *value);
/* The bytes of a string or binary, else NULL; a loan. */
LIVE_API const void *live_bytes(const live_value *value);
/* The item at index, or NULL; a loan. */
LIVE_API const live_value *live_at(const live_value *array, size_t index);
/* The member named key, or NULL; a loan. */
LIVE_API const live_value *live_get(const live_value *object, const char *key);
LIVE_API const live_value *live_get_len(const live_value *object, const char *key, size_t key_len);
/* By path: names and array indices joined by dots ("users.0.name"); NULL when a step is missing; a loan. */
LIVE_API const live_value *live_path(const live_value *value, const char *path);
/* Steps to the next item or member; false at the end (or when it is no container). */
LIVE_API bool live_next(const live_value *container, live_iter *iter);
/* Same type and content; ints and doubles of equal value are equal; the order of members does not matter. */
LIVE_API bool live_equal(const live_value *a, const live_value *b);

/* ---- new values from old ones: each borrows the old and returns a new reference ---- */

/* object with key set to value (appended when new; in place when there). value is given away. A non-object counts as
 * an empty object. */
LIVE_API const live_value *live_with(const live_value *object, const char *key, const live_value *value);
LIVE_API const live_value *live_with_len(const live_value *object, const char *key, size_t key_len,
					 const live_value *value);
/* object without key. */
LIVE_API const live_value *live_without(const live_value *object, const char *key);
/* array with value appended; value is given away. A non-array counts as an empty array. */
LIVE_API const live_value *live_append(const live_value *array, const live_value *value);
/* The items from start (counted from 0) up to, not including, end, both cut to the length. */
LIVE_API const live_value *live_slice(const live_value *array, size_t start, size_t end);
/* The merge of protocol section 7.3: plain objects recursively; null at the top is a value, nested it deletes. */
LIVE_API const live_value *live_merge(const live_value *base, const live_value *delta);

/* ---- JSON ---- */

/* Parses JSON text (RFC 8259, strict) of at most 64 levels; NULL on an error, whose text with its position goes to
 * error (when not NULL; error_size bytes, NUL-terminated). The caller owns the result. */
LIVE_API const live_value *live_from_json(const char *text, size_t len, char *error, size_t error_size);
/* Prints as JSON.stringify does; the caller frees the NUL-terminated text with free(). *len (may be NULL) is its
 * length. Binary is printed as a base64 string. */
LIVE_API char *live_to_json(const live_value *value, size_t *len);

#ifdef __cplusplus
}
#endif

#endif
