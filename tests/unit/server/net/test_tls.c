/* TLS under a connection: handshakes, records both ways, and every way to end. */
#include "server/net/tls.h"

#include <openssl/err.h>
#include <signal.h>

#include "unit/server/net/tls_stage.h"

static struct made_files files;
static struct net_stage stage;
static struct tls_context *context;
static struct tls_seed *seed;

static void start(void)
{
	signal(SIGPIPE, SIG_IGN);
	tls_files_make(&files, "one.test", NULL);
	context = tls_stage_context(&files);
	net_stage_start(&stage, NULL);
	seed = tls_seed_new(1, stage.now_ms);
	tls_shard_new(stage.net, context, seed, NULL);
}

static void stop(void)
{
	net_stage_end(&stage);
	tls_seed_free(seed);
	tls_context_unref(context);
	tls_files_remove(&files);
}

static void connect_peer(struct peer *peer)
{
	peer_connect(peer, &stage, NULL, NULL);
	ck_assert(peer_shake(peer));
}

/* ---- handshakes ---- */

static void only_tls12(SSL_CTX *ctx)
{
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
}

static void only_tls11(SSL_CTX *ctx)
{
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, TLS1_1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
}

static void cbc_alone(SSL_CTX *ctx)
{
	only_tls12(ctx);
	SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES128-SHA256");
}

static void check_echo(struct peer *peer)
{
	char heard[6];
	peer_say(peer, "hello", 6);
	ck_assert(peer_hear(peer, heard, sizeof heard));
	ck_assert_str_eq(heard, "hello");
}

START_TEST(both_versions_carry_bytes_both_ways)
{
	struct peer peer;
	peer_connect(&peer, &stage, _i ? only_tls12 : NULL, NULL);
	ck_assert(peer_shake(&peer));
	ck_assert_int_eq(SSL_version(peer.ssl), _i ? TLS1_2_VERSION : TLS1_3_VERSION);
	check_echo(&peer);
	ck_assert(connection_is_secure(peer.conn));
	ck_assert_uint_eq(counter_read(&stage.counters->tls_handshakes), 1);
	peer_free(&peer);
}
END_TEST

START_TEST(a_request_with_the_last_of_the_handshake_is_not_forgotten)
{
	struct peer peer;
	peer_connect(&peer, &stage, NULL, NULL);
	while (!peer_step(&peer))
		net_stage_run(&stage);
	/* The server has read nothing since its own flight: Finished and request come to it in one piece. */
	ck_assert_int_eq(SSL_write(peer.ssl, "early", 5), 5);
	net_stage_run(&stage);
	ck_assert_uint_eq(peer.seen.len, 5);
	peer_free(&peer);
}
END_TEST

static int alpn_case;
static void set_alpn(SSL_CTX *ctx)
{
	static const char *const offers[] = {"\x08http/1.1", "\x02h2\x08http/1.1", "\x02h2", "\x08http/1.0"};
	const char *offer = offers[alpn_case];
	SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)offer, (unsigned)strlen(offer));
}

START_TEST(alpn_takes_http_1_1_and_nothing_else)
{
	const unsigned char *chosen;
	unsigned len;
	struct peer peer;
	alpn_case = _i;
	peer_connect(&peer, &stage, set_alpn, NULL);
	if (_i < 2) {
		ck_assert(peer_shake(&peer));
		SSL_get0_alpn_selected(peer.ssl, &chosen, &len);
		ck_assert_uint_eq(len, 8);
		ck_assert_mem_eq(chosen, "http/1.1", 8);
	} else {
		ck_assert(!peer_shake(&peer));
		ck_assert_int_eq(ERR_GET_REASON(ERR_peek_error()), SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
		ck_assert_uint_eq(counter_read(&stage.counters->tls_failed_protocol), 1);
		ck_assert_int_eq(peer.error, -EPROTO);
	}
	peer_free(&peer);
}
END_TEST

START_TEST(old_versions_and_weak_ciphers_are_refused)
{
	struct peer peer;
	peer_connect(&peer, &stage, _i ? cbc_alone : only_tls11, NULL);
	ck_assert(!peer_shake(&peer));
	ck_assert(peer.is_closed);
	ck_assert_int_eq(peer.error, -EPROTO);
	ck_assert_uint_eq(counter_read(&stage.counters->tls_failed_version), _i ? 0 : 1);
	ck_assert_uint_eq(counter_read(&stage.counters->tls_failed_cipher), _i ? 1 : 0);
	peer_free(&peer);
}
END_TEST

START_TEST(what_is_no_handshake_is_refused_unheard)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	struct peer peer;
	peer_connect_raw(&peer, &stage);
	ck_assert_int_eq(send(peer.fd, request, sizeof request - 1, 0), sizeof request - 1);
	net_stage_run(&stage);
	ck_assert(peer.is_closed);
	ck_assert_int_eq(peer.error, -EPROTO);
	ck_assert_uint_eq(peer.seen.len, 0);
	ck_assert_uint_eq(counter_read(&stage.counters->tls_failed_bytes), 1);
	peer_free(&peer);
}
END_TEST

START_TEST(who_leaves_in_the_handshake_is_counted)
{
	struct peer peer;
	peer_connect(&peer, &stage, NULL, NULL);
	peer_step(&peer);
	net_stage_run(&stage);
	shutdown(peer.fd, SHUT_WR);
	net_stage_run(&stage);
	ck_assert(peer.is_closed);
	ck_assert_int_eq(peer.error, -ECONNRESET);
	ck_assert_uint_eq(counter_read(&stage.counters->tls_failed_ended), 1);
	peer_free(&peer);
}
END_TEST

static void trust_nobody(SSL_CTX *ctx)
{
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
}

START_TEST(who_does_not_trust_us_says_so_and_is_counted)
{
	struct peer peer;
	peer_connect(&peer, &stage, trust_nobody, NULL);
	ck_assert(!peer_shake(&peer));
	net_stage_run(&stage);
	ck_assert(peer.is_closed);
	ck_assert_uint_eq(counter_read(&stage.counters->tls_failed_alert), 1);
	peer_free(&peer);
}
END_TEST

START_TEST(a_handshake_that_drips_ends_at_its_deadline)
{
	struct peer peer;
	char hello[2048];
	BIO *out = BIO_new(BIO_s_mem());
	peer_connect(&peer, &stage, NULL, NULL);
	SSL_set0_wbio(peer.ssl, out);
	peer_step(&peer);
	int len = BIO_read(out, hello, sizeof hello);
	ck_assert_int_gt(len, 100);
	/* A byte each 100 ms: alive all the time, and not done after the 10 seconds it has. */
	for (int i = 0; i < 99; i++) {
		ck_assert_int_eq(send(peer.fd, hello + i, 1, 0), 1);
		net_stage_pass(&stage, 100);
	}
	ck_assert(!peer.is_closed);
	net_stage_pass(&stage, 101);
	ck_assert(peer.is_closed);
	ck_assert_int_eq(peer.error, -ETIMEDOUT);
	ck_assert_uint_eq(counter_read(&stage.counters->tls_failed_late), 1);
	ck_assert_uint_eq(counter_read(&stage.counters->closes_deadline), 1);
	peer_free(&peer);
}
END_TEST

START_TEST(a_handshake_may_come_byte_by_byte)
{
	struct peer peer;
	char bytes[4096];
	peer_connect(&peer, &stage, NULL, NULL);
	BIO *out = BIO_new(BIO_s_mem());
	SSL_set0_wbio(peer.ssl, out);
	for (bool done = false; !done;) {
		done = peer_step(&peer);
		int len = BIO_read(out, bytes, sizeof bytes);
		for (int i = 0; i < len; i++) {
			ck_assert_int_eq(send(peer.fd, bytes + i, 1, 0), 1);
			net_stage_run(&stage);
		}
		ck_assert(!peer.is_closed);
	}
	ck_assert_uint_eq(counter_read(&stage.counters->tls_handshakes), 1);
	peer_free(&peer);
}
END_TEST

START_TEST(a_new_context_is_for_new_connections)
{
	struct made_files other;
	struct peer before, after;
	char name[64];
	tls_files_make(&other, "two.test", NULL);
	connect_peer(&before);
	struct tls_context *second = tls_stage_context(&other);
	tls_shard_set_context(stage.net, second);
	tls_context_unref(second);
	peer_connect(&after, &stage, NULL, NULL);
	ck_assert(peer_shake(&after));
	X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(after.ssl)), NID_commonName, name,
				  sizeof name);
	ck_assert_str_eq(name, "two.test");
	X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(before.ssl)), NID_commonName, name,
				  sizeof name);
	ck_assert_str_eq(name, "one.test");
	check_echo(&before);
	check_echo(&after);
	peer_free(&before);
	peer_free(&after);
	tls_files_remove(&other);
}
END_TEST

/* ---- bytes ---- */

enum { MUCH = 1 << 20 };

static char *much(void)
{
	char *bytes = malloc(MUCH);
	for (int i = 0; i < MUCH; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	return bytes;
}

START_TEST(a_mebibyte_goes_through_small_sockets_both_ways)
{
	struct peer peer;
	char *bytes = much(), *heard = malloc(MUCH);
	connect_peer(&peer);
	peer.echoes = false;
	peer_say(&peer, bytes, MUCH);
	ck_assert_uint_eq(peer.seen.len, MUCH);
	ck_assert_mem_eq(peer.seen.ptr, bytes, MUCH);
	buf_append(&peer.to_send, bytes, MUCH);
	connection_flush_soon(peer.conn);
	ck_assert(peer_hear(&peer, heard, MUCH));
	ck_assert_mem_eq(heard, bytes, MUCH);
	ck_assert_uint_gt(counter_read(&stage.counters->short_sends), 0);
	peer_free(&peer);
	free(bytes);
	free(heard);
}
END_TEST

START_TEST(bytes_that_openssl_holds_are_read_when_reading_resumes)
{
	struct peer peer;
	connect_peer(&peer);
	connection_pause_read(peer.conn);
	peer_say(&peer, "one", 3);
	peer_say(&peer, "two", 3);
	ck_assert_uint_eq(peer.seen.len, 0);
	connection_resume_read(peer.conn);
	net_stage_run(&stage);
	ck_assert_uint_eq(peer.seen.len, 6);
	peer_free(&peer);
}
END_TEST

START_TEST(more_records_than_the_receive_buffer_holds_are_all_read)
{
	/* What OpenSSL has read ahead is announced by no socket. */
	struct net_options options = {.receive_bytes = 100};
	struct peer peer;
	stop();
	tls_files_make(&files, "one.test", NULL);
	context = tls_stage_context(&files);
	net_stage_start(&stage, &options);
	seed = tls_seed_new(1, stage.now_ms);
	tls_shard_new(stage.net, context, seed, NULL);
	connect_peer(&peer);
	peer.echoes = false;
	char bytes[250] = "x";
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(SSL_write(peer.ssl, bytes, sizeof bytes), sizeof bytes);
	for (int i = 0; i < 20; i++)
		net_stage_run(&stage);
	ck_assert_uint_eq(peer.seen.len, 3 * sizeof bytes);
	peer_free(&peer);
}
END_TEST

START_TEST(a_client_may_renew_its_keys)
{
	struct peer peer;
	connect_peer(&peer);
	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(SSL_key_update(peer.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		check_echo(&peer);
	}
	peer_free(&peer);
}
END_TEST

START_TEST(a_client_may_not_renegotiate)
{
	struct peer peer;
	peer_connect(&peer, &stage, only_tls12, NULL);
	ck_assert(peer_shake(&peer));
	SSL_renegotiate(peer.ssl);
	SSL_do_handshake(peer.ssl);
	net_stage_run(&stage);
	for (int i = 0; i < 10; i++) {
		SSL_do_handshake(peer.ssl);
		net_stage_run(&stage);
	}
	ck_assert_uint_eq(counter_read(&stage.counters->tls_handshakes), 1);
	ck_assert_int_eq(SSL_num_renegotiations(peer.ssl), 1);
	ck_assert(!SSL_is_init_finished(peer.ssl) || peer.is_closed);
	peer_free(&peer);
}
END_TEST

/* ---- ends ---- */

START_TEST(an_orderly_end_comes_after_the_bytes_before_it)
{
	struct peer peer;
	connect_peer(&peer);
	peer.echoes = false;
	ck_assert_int_eq(SSL_write(peer.ssl, "last", 4), 4);
	SSL_shutdown(peer.ssl); /* the socket stays open: only the close_notify tells */
	net_stage_run(&stage);
	ck_assert_uint_eq(peer.seen.len, 4);
	ck_assert(peer.has_ended);
	ck_assert_uint_eq(counter_read(&stage.counters->tls_truncated), 0);
	net_stage_run(&stage);
	ck_assert(peer.is_closed);
	ck_assert_int_eq(peer.error, 0);
	ck_assert_int_eq(SSL_read(peer.ssl, &(char){0}, 1), 0);
	ck_assert_int_eq(SSL_get_shutdown(peer.ssl), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	peer_free(&peer);
}
END_TEST

START_TEST(a_peer_that_ended_its_half_still_gets_its_answer)
{
	struct peer peer;
	char heard[4];
	connect_peer(&peer);
	ck_assert_int_eq(SSL_write(peer.ssl, "last", 4), 4);
	SSL_shutdown(peer.ssl);
	shutdown(peer.fd, SHUT_WR);
	net_stage_run(&stage);
	ck_assert_int_eq(SSL_read(peer.ssl, heard, sizeof heard), 4);
	ck_assert_mem_eq(heard, "last", 4);
	ck_assert_int_eq(SSL_read(peer.ssl, heard, 1), 0);
	ck_assert_int_eq(SSL_get_error(peer.ssl, 0), SSL_ERROR_ZERO_RETURN);
	peer_free(&peer);
}
END_TEST

START_TEST(who_does_not_answer_our_end_has_not_cut_anything_off)
{
	struct peer peer;
	connect_peer(&peer);
	connection_close(peer.conn, CONNECTION_AFTER_FLUSH);
	net_stage_run(&stage);
	shutdown(peer.fd, SHUT_WR);
	net_stage_run(&stage);
	ck_assert(peer.is_closed);
	ck_assert_int_eq(peer.error, 0);
	ck_assert_uint_eq(counter_read(&stage.counters->tls_truncated), 0);
	peer_free(&peer);
}
END_TEST

/* Writes count key updates into bytes; how long they are. */
static int write_key_updates(struct peer *peer, int count, char *bytes, int room)
{
	BIO *out = BIO_new(BIO_s_mem());
	SSL_set0_wbio(peer->ssl, out);
	for (int i = 0; i < count; i++) {
		ck_assert_int_eq(SSL_key_update(peer->ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
		ck_assert_int_eq(SSL_do_handshake(peer->ssl), 1);
	}
	return BIO_read(out, bytes, room);
}

START_TEST(who_sends_nothing_but_key_updates_keeps_nobody_waiting)
{
	struct peer friend, flooder;
	char heard[6];
	int room = 1 << 20;
	char *bytes = malloc((size_t)room);
	connect_peer(&friend);
	connect_peer(&flooder);
	int len = write_key_updates(&flooder, 10000, bytes, room);
	for (int sent = 0; sent < len;) {
		ssize_t part = send(flooder.fd, bytes + sent, (size_t)(len - sent), 0);
		sent += part > 0 ? (int)part : 0;
		ck_assert_int_eq(SSL_write(friend.ssl, "hello", 6), 6);
		shard_step(stage.shard);
		shard_enter(stage.shard);
		ck_assert_int_eq(SSL_read(friend.ssl, heard, 6), 6); /* in the very tick */
	}
	ck_assert_uint_eq(flooder.seen.len, 0);
	ck_assert(!flooder.is_closed);
	peer_free(&flooder);
	peer_free(&friend);
	free(bytes);
}
END_TEST

START_TEST(an_end_without_close_notify_is_no_end_but_a_failure)
{
	struct peer peer;
	connect_peer(&peer);
	peer.echoes = false;
	ck_assert_int_eq(SSL_write(peer.ssl, "last", 4), 4);
	shutdown(peer.fd, SHUT_WR);
	net_stage_run(&stage);
	ck_assert_uint_eq(peer.seen.len, 4);
	ck_assert(!peer.has_ended);
	ck_assert(peer.is_closed);
	ck_assert_int_eq(peer.error, -ECONNRESET);
	ck_assert_uint_eq(counter_read(&stage.counters->tls_truncated), 1);
	peer_free(&peer);
}
END_TEST

START_TEST(our_end_is_told_even_when_the_socket_is_full)
{
	struct peer peer;
	char *bytes = much(), *heard = malloc(MUCH);
	connect_peer(&peer);
	buf_append(&peer.to_send, bytes, MUCH);
	connection_flush_soon(peer.conn);
	connection_close(peer.conn, CONNECTION_AFTER_FLUSH);
	net_stage_run(&stage);
	ck_assert(peer_hear(&peer, heard, MUCH));
	ck_assert_mem_eq(heard, bytes, MUCH);
	for (int i = 0; i < 20 && !(SSL_get_shutdown(peer.ssl) & SSL_RECEIVED_SHUTDOWN); i++) {
		SSL_read(peer.ssl, heard, 1);
		net_stage_run(&stage);
	}
	ck_assert(SSL_get_shutdown(peer.ssl) & SSL_RECEIVED_SHUTDOWN);
	SSL_shutdown(peer.ssl);
	net_stage_run(&stage);
	ck_assert(peer.is_closed);
	ck_assert_int_eq(peer.error, 0);
	peer_free(&peer);
	free(bytes);
	free(heard);
}
END_TEST

START_TEST(a_record_that_was_tampered_with_ends_the_connection)
{
	struct peer peer;
	char bytes[256];
	connect_peer(&peer);
	BIO *out = BIO_new(BIO_s_mem());
	SSL_set0_wbio(peer.ssl, out);
	SSL_write(peer.ssl, "hello", 5);
	int len = BIO_read(out, bytes, sizeof bytes);
	bytes[len - 1] ^= 1;
	ck_assert_int_eq(send(peer.fd, bytes, (size_t)len, 0), len);
	net_stage_run(&stage);
	ck_assert(peer.is_closed);
	ck_assert_int_eq(peer.error, -EPROTO);
	ck_assert_uint_eq(peer.seen.len, 0);
	ck_assert_uint_eq(counter_read(&stage.counters->tls_broken), 1);
	peer_free(&peer);
}
END_TEST

START_TEST(one_connection_s_failure_is_not_another_s)
{
	/* OpenSSL's queue of errors belongs to the thread, not to the connection. */
	struct peer good, bad;
	connect_peer(&good);
	peer_connect_raw(&bad, &stage);
	ck_assert_int_eq(send(bad.fd, "nonsense nonsense", 17, 0), 17);
	ck_assert_int_eq(SSL_write(good.ssl, "hello", 6), 6);
	net_stage_run(&stage);
	ck_assert(bad.is_closed);
	ck_assert(!good.is_closed);
	check_echo(&good);
	peer_free(&good);
	peer_free(&bad);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_loop_test(tests, both_versions_carry_bytes_both_ways, 0, 2);
	tcase_add_test(tests, a_request_with_the_last_of_the_handshake_is_not_forgotten);
	tcase_add_loop_test(tests, alpn_takes_http_1_1_and_nothing_else, 0, 4);
	tcase_add_loop_test(tests, old_versions_and_weak_ciphers_are_refused, 0, 2);
	tcase_add_test(tests, what_is_no_handshake_is_refused_unheard);
	tcase_add_test(tests, who_leaves_in_the_handshake_is_counted);
	tcase_add_test(tests, who_does_not_trust_us_says_so_and_is_counted);
	tcase_add_test(tests, a_handshake_that_drips_ends_at_its_deadline);
	tcase_add_test(tests, a_handshake_may_come_byte_by_byte);
	tcase_add_test(tests, a_new_context_is_for_new_connections);
	tcase_add_test(tests, a_mebibyte_goes_through_small_sockets_both_ways);
	tcase_add_test(tests, bytes_that_openssl_holds_are_read_when_reading_resumes);
	tcase_add_test(tests, more_records_than_the_receive_buffer_holds_are_all_read);
	tcase_add_test(tests, a_client_may_renew_its_keys);
	tcase_add_test(tests, a_client_may_not_renegotiate);
	tcase_add_test(tests, an_orderly_end_comes_after_the_bytes_before_it);
	tcase_add_test(tests, a_peer_that_ended_its_half_still_gets_its_answer);
	tcase_add_test(tests, who_does_not_answer_our_end_has_not_cut_anything_off);
	tcase_add_test(tests, who_sends_nothing_but_key_updates_keeps_nobody_waiting);
	tcase_add_test(tests, an_end_without_close_notify_is_no_end_but_a_failure);
	tcase_add_test(tests, our_end_is_told_even_when_the_socket_is_full);
	tcase_add_test(tests, a_record_that_was_tampered_with_ends_the_connection);
	tcase_add_test(tests, one_connection_s_failure_is_not_another_s);
}

int main(void)
{
	return run_tests("tls", add_tests);
}
