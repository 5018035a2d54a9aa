#include "server/security/cipher.h"

#include <errno.h>

#include "core/base64.h"
#include "unit/core/core_test.h"

static const unsigned char key[CIPHER_KEY_BYTES] = "0123456789abcdef0123456789abcde";
static const unsigned char other_key[CIPHER_KEY_BYTES] = "0123456789abcdef0123456789abcdE";

START_TEST(there_and_back)
{
	struct cipher *cipher = cipher_new(key);
	for (size_t len = 0; len < 300; len++) {
		struct buf text, sealed, again, opened;
		buf_init(&text, SIZE_MAX);
		buf_init(&sealed, SIZE_MAX);
		buf_init(&again, SIZE_MAX);
		buf_init(&opened, SIZE_MAX);
		for (size_t i = 0; i < len; i++)
			buf_append_char(&text, (char)('a' + i % 26));
		ck_assert_int_eq(cipher_seal(cipher, buf_str(&text), &sealed), 0);
		ck_assert_int_eq(cipher_seal(cipher, buf_str(&text), &again), 0);
		ck_assert(!str_equal(buf_str(&sealed), buf_str(&again)));
		ck_assert_uint_eq(sealed.len, 16 + 1 + 24 + 1 + base64_encoded_len(len));
		ck_assert_int_eq(cipher_open(cipher, buf_str(&sealed), &opened), 0);
		ck_assert(str_equal(buf_str(&opened), buf_str(&text)));
		buf_deinit(&text);
		buf_deinit(&sealed);
		buf_deinit(&again);
		buf_deinit(&opened);
	}
	cipher_free(cipher);
	cipher_free(NULL);
}
END_TEST

START_TEST(changed_anywhere)
{
	struct cipher *cipher = cipher_new(key), *other = cipher_new(other_key);
	struct buf sealed, opened;
	buf_init(&sealed, SIZE_MAX);
	buf_init(&opened, SIZE_MAX);
	ck_assert_int_eq(cipher_seal(cipher, STR("{\"count\":3}"), &sealed), 0);
	ck_assert_int_eq(cipher_open(other, buf_str(&sealed), &opened), -EINVAL);
	for (size_t i = 0; i < sealed.len; i++) {
		char was = sealed.ptr[i];
		for (const char *c = "A:=?b"; *c; c++) {
			sealed.ptr[i] = *c == was ? 'x' : *c;
			ck_assert_int_eq(cipher_open(cipher, buf_str(&sealed), &opened), -EINVAL);
		}
		sealed.ptr[i] = was;
		ck_assert_int_eq(cipher_open(cipher, (struct str){sealed.ptr, i}, &opened), -EINVAL);
	}
	ck_assert_uint_eq(opened.len, 0);
	ck_assert_int_eq(cipher_open(cipher, buf_str(&sealed), &opened), 0);
	ck_assert_int_eq(cipher_open(cipher, STR(""), &opened), -EINVAL);
	ck_assert_int_eq(cipher_open(cipher, STR("::"), &opened), -EINVAL);
	buf_deinit(&sealed);
	buf_deinit(&opened);
	cipher_free(cipher);
	cipher_free(other);
}
END_TEST

START_TEST(no_room)
{
	struct cipher *cipher = cipher_new(key);
	struct buf sealed, opened;
	buf_init(&sealed, 20);
	buf_init(&opened, 4);
	ck_assert_int_eq(cipher_seal(cipher, STR("text"), &sealed), -ENOSPC);
	buf_deinit(&sealed);
	buf_init(&sealed, 200);
	ck_assert_int_eq(cipher_seal(cipher, STR("a longer text"), &sealed), 0);
	ck_assert_int_eq(cipher_open(cipher, buf_str(&sealed), &opened), -ENOSPC);
	buf_deinit(&sealed);
	buf_deinit(&opened);
	cipher_free(cipher);
}
END_TEST

CORE_TESTS("cipher", there_and_back, changed_anywhere, no_room)
