#include "server/security/mac.h"

#include "unit/core/core_test.h"

/* RFC 4231, test cases 1 to 3 and 6. */
static const struct {
	int key_byte; /* -1: key is text */
	size_t key_len;
	const char *key;
	const char *text;
	const char *hex;
} cases[] = {
	{0x0b, 20, NULL, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
	{-1, 4, "Jefe", "what do ya want for nothing?",
	 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
	{0xaa, 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
	 "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
};

START_TEST(rfc4231)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char key[131], hex[MAC_HEX];
		if (cases[i].key)
			memcpy(key, cases[i].key, cases[i].key_len);
		else
			memset(key, cases[i].key_byte, cases[i].key_len);
		struct mac *mac = mac_new((struct str){key, cases[i].key_len});
		struct str text = str_of(cases[i].text);
		/* In one piece, letter by letter, and after a text that was left. */
		for (size_t step = 1; step <= text.len; step += text.len - 1) {
			mac_begin(mac);
			mac_add(mac, STR("left"));
			mac_begin(mac);
			for (size_t at = 0; at < text.len; at += step)
				mac_add(mac, (struct str){text.ptr + at, step});
			mac_end_hex(mac, hex);
			ck_assert_mem_eq(hex, cases[i].hex, MAC_HEX);
		}
		mac_free(mac);
	}
	mac_free(NULL);
}
END_TEST

START_TEST(comparing)
{
	ck_assert(mac_is_equal(STR(""), STR("")));
	ck_assert(mac_is_equal(STR("abc"), STR("abc")));
	ck_assert(!mac_is_equal(STR("abc"), STR("abd")));
	ck_assert(!mac_is_equal(STR("abc"), STR("ab")));
}
END_TEST

CORE_TESTS("mac", rfc4231, comparing)
