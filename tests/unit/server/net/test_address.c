#include "server/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "unit/server/net/net_stage.h"

static const char *parsed(const char *text)
{
	static char out[ADDRESS_TEXT_MAX + 8];
	char host[ADDRESS_TEXT_MAX];
	struct address address;
	if (address_parse(&address, str_of(text)) < 0)
		return "invalid";
	snprintf(out, sizeof out, "%s|%u", address_text(&address, host).ptr, address.port);
	return out;
}

START_TEST(parses_addresses)
{
	ck_assert_str_eq(parsed("1.2.3.4"), "1.2.3.4|0");
	ck_assert_str_eq(parsed("1.2.3.4:80"), "1.2.3.4|80");
	ck_assert_str_eq(parsed("::1"), "::1|0");
	ck_assert_str_eq(parsed("[::1]"), "::1|0");
	ck_assert_str_eq(parsed("[2001:DB8::1]:65535"), "2001:db8::1|65535");
	ck_assert_str_eq(parsed("::ffff:1.2.3.4"), "1.2.3.4|0");
	ck_assert_str_eq(parsed("[::ffff:1.2.3.4]:9"), "1.2.3.4|9");
}
END_TEST

START_TEST(refuses_what_is_none)
{
	static const char *const bad[] = {"",         " ",         "1.2.3",         "1.2.3.4.5", "1.2.3.256",
					  "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:65536", "[::1",      "[::1]x",
					  "[::1]:",   "::1]",      "localhost",     "1.2.3.4 ",  ":80",
					  "[]",       "g::1",      "01.2.3.4",      "[1.2.3.4"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(strcmp(parsed(bad[i]), "invalid") == 0, "%s", bad[i]);
}
END_TEST

START_TEST(reads_socket_addresses)
{
	char text[ADDRESS_TEXT_MAX];
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(8080)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	inet_pton(AF_INET, "10.1.2.3", &in.sin_addr);
	inet_pton(AF_INET6, "::ffff:10.1.2.3", &in6.sin6_addr);
	struct address a = address_of((struct sockaddr *)&in, sizeof in);
	struct address b = address_of((struct sockaddr *)&in6, sizeof in6);
	struct address c = address_of((struct sockaddr *)&un, sizeof(sa_family_t));
	ck_assert_str_eq(address_text(&a, text).ptr, "10.1.2.3");
	ck_assert_uint_eq(a.port, 8080);
	ck_assert(address_same_host(&a, &b));
	ck_assert(!address_same_host(&a, &c));
	ck_assert_str_eq(address_text(&c, text).ptr, "unix");
	struct address none = address_of((struct sockaddr *)&in, 0);
	ck_assert_str_eq(address_text(&none, text).ptr, "unknown");
}
END_TEST

static bool in_set(const char *network, const char *host)
{
	struct address_set *set = address_set_new();
	struct address address;
	ck_assert_int_eq(address_set_add(set, str_of(network)), 0);
	ck_assert_int_eq(address_parse(&address, str_of(host)), 0);
	bool has = address_set_has(set, &address);
	address_set_free(set);
	return has;
}

START_TEST(matches_networks)
{
	ck_assert(in_set("10.0.0.0/8", "10.255.0.1"));
	ck_assert(!in_set("10.0.0.0/8", "11.0.0.1"));
	ck_assert(in_set("10.0.0.0/9", "10.127.255.255"));
	ck_assert(!in_set("10.0.0.0/9", "10.128.0.0"));
	ck_assert(in_set("10.1.2.3", "10.1.2.3"));
	ck_assert(!in_set("10.1.2.3", "10.1.2.4"));
	ck_assert(in_set("0.0.0.0/0", "200.1.2.3"));
	ck_assert(!in_set("0.0.0.0/0", "::1"));
	ck_assert(in_set("fd00::/8", "fdff::1"));
	ck_assert(!in_set("fd00::/8", "fe00::1"));
	ck_assert(in_set("2001:db8::/33", "2001:db8:7fff::"));
	ck_assert(!in_set("2001:db8::/33", "2001:db8:8000::"));
	ck_assert(in_set("::ffff:10.0.0.0/104", "10.9.9.9"));
	ck_assert(!in_set("::ffff:10.0.0.0/104", "11.9.9.9"));
}
END_TEST

START_TEST(refuses_networks_that_are_none)
{
	static const char *const bad[] = {"",       "10.0.0.0/",          "10.0.0.0/33", "10.0.0.0/x",
					  "::/129", "10.0.0/8",           "/8",          "10.0.0.0/-1",
					  "unix/8", "::ffff:10.0.0.0/95", "10.0.0.0:80"};
	struct address_set *set = address_set_new();
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(address_set_add(set, str_of(bad[i])) == -EINVAL, "%s", bad[i]);
	address_set_free(set);
	ck_assert(!address_set_has(NULL, &(struct address){.family = ADDRESS_UNIX}));
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, parses_addresses);
	tcase_add_test(tests, refuses_what_is_none);
	tcase_add_test(tests, reads_socket_addresses);
	tcase_add_test(tests, matches_networks);
	tcase_add_test(tests, refuses_networks_that_are_none);
}

int main(void)
{
	return run_tests("address", add);
}
