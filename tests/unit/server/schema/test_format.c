/* Formats: what is one, and what only looks like one. */
#include "server/schema/format.h"

#include "unit/core/core_test.h"

static const struct {
	const char *format, *text;
	bool is_one;
} cases[] = {
	{"date-time", "2024-02-29T23:59:60Z", true},
	{"date-time", "2024-02-29T12:00:00.123+05:30", true},
	{"date-time", "2024-02-29t12:00:00z", true},
	{"date-time", "2023-02-29T12:00:00Z", false},
	{"date-time", "2024-02-29 12:00:00Z", false},
	{"date-time", "2024-02-29T12:00:00", false},
	{"date-time", "2024-02-29T24:00:00Z", false},
	{"date-time", "", false},
	{"date", "2000-02-29", true},
	{"date", "1900-02-29", false},
	{"date", "2024-13-01", false},
	{"date", "2024-00-10", false},
	{"date", "2024-04-31", false},
	{"date", "2024-4-3", false},
	{"date", "2024-04-03x", false},
	{"time", "08:30:06Z", true},
	{"time", "23:59:60Z", true},
	{"time", "01:29:60+01:30", true},
	{"time", "15:59:60-08:00", true},
	{"time", "22:59:60Z", false},
	{"time", "08:30:06.Z", false},
	{"time", "08:30:06+24:00", false},
	{"time", "08:30Z", false},
	{"email", "ann@example.com", true},
	{"email", "a.b+c@x.example.org", true},
	{"email", "ann", false},
	{"email", "@example.com", false},
	{"email", "ann@", false},
	{"email", ".ann@example.com", false},
	{"email", "ann.@example.com", false},
	{"email", "a..b@example.com", false},
	{"email", "a b@example.com", false},
	{"email", "a@b@example.com", false},
	{"email", "ann@-example.com", false},
	{"hostname", "localhost", true},
	{"hostname", "a-b.example.com", true},
	{"hostname", "3com.example", true},
	{"hostname", "", false},
	{"hostname", ".example", false},
	{"hostname", "example.", false},
	{"hostname", "a..b", false},
	{"hostname", "-a", false},
	{"hostname", "a-.b", false},
	{"hostname", "a_b", false},
	{"ipv4", "192.168.0.1", true},
	{"ipv4", "256.1.1.1", false},
	{"ipv4", "1.2.3", false},
	{"ipv4", " 1.2.3.4", false},
	{"ipv6", "::1", true},
	{"ipv6", "2001:db8::7:1", true},
	{"ipv6", "::ffff:1.2.3.4", true},
	{"ipv6", "1:2:3:4:5:6:7:8:9", false},
	{"ipv6", "12345::", false},
	{"uri", "https://example.com/a?b=c#d", true},
	{"uri", "urn:isbn:0451450523", true},
	{"uri", "http://[::1]:80/%20", true},
	{"uri", "/a/b", false},
	{"uri", "example", false},
	{"uri", "http://a b", false},
	{"uri", "http://a/%2", false},
	{"uri", "3x:y", false},
	{"uri", ":y", false},
	{"uri", "http:", false},
	{"uri", "http://\xc3\xa9", false},
	{"uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d16380", true},
	{"uuid", "2EB8AA08-AA98-11EA-B4AA-73B441D16380", true},
	{"uuid", "2eb8aa08aa9811eab4aa73b441d16380", false},
	{"uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d1638", false},
	{"uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d1638g", false},
};

START_TEST(test_all)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		format_fn *format = format_find(str_of(cases[i].format));
		ck_assert_ptr_nonnull(format);
		ck_assert_msg(format(str_of(cases[i].text)) == cases[i].is_one, "%s: %s", cases[i].format,
			      cases[i].text);
	}
	ck_assert_ptr_null(format_find(STR("phone")));
	ck_assert(!format_find(STR("ipv4"))((struct str){"1.2.3.4\0x", 9}));
	char label[70];
	memset(label, 'a', sizeof label);
	ck_assert(format_find(STR("hostname"))((struct str){label, 63}));
	ck_assert(!format_find(STR("hostname"))((struct str){label, 64}));
}
END_TEST

CORE_TESTS("schema: format", test_all)
