/*
 * Signed states. First letter 'o': the rest is a signed state as a client may send it, any JSON. Else its low bits are
 * the flags, and the rest is data under a good signature, since no mutation makes one: what unpacks must be a state
 * that comes back equal when it is signed anew.
 */
#include "server/security/signature.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "server/security/mac.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define NOW 1700000000000

static struct signer *make_signer(bool encrypt)
{
	struct signing_options options = {
		.secret = STR("fuzz"),
		.max_age_ms = 60000,
		.max_state_bytes = 1 << 20,
		.compress = true,
		.encrypt = encrypt,
		.nonce_ttl_ms = 60000,
	};
	return signer_new(signing_keys_new(&options));
}

static void drop(struct signed_state *opened)
{
	live_value_unref(opened->state);
	live_value_unref(opened->source);
}

/* Whether both are written the same: a number beyond all doubles is infinite here, and null where it is written. */
static bool is_written_the_same(const live_value *a, const live_value *b)
{
	char *text = live_to_json(a, NULL), *other = live_to_json(b, NULL);
	bool is_same = !strcmp(text, other);

	free(text);
	free(other);
	return is_same;
}

/* What was opened, signed and opened again. */
static void check_again(struct signer *signer, const struct signed_state *opened)
{
	struct signing signing = {STR("f"), opened->component_name, opened->state, opened->version, NOW};
	struct signed_state again;
	struct buf out;

	buf_init(&out, 1 << 24);
	signer_sign(signer, &signing, &out);
	/* Nothing when the name, escaped, no longer fits. */
	if (out.len) {
		const live_value *object = live_from_json(out.ptr, out.len, NULL, 0);
		assert_always(object && !signer_open_once(signer, object, NOW, &again));
		assert_always(is_written_the_same(again.state, opened->state) && again.version == opened->version);
		assert_always(str_equal(again.component_name, opened->component_name));
		drop(&again);
		live_value_unref(object);
	}
	buf_deinit(&out);
}

static const live_value *sign_data(unsigned char flags, struct str data)
{
	static struct mac *mac;
	char hex[MAC_HEX];
	const live_value *text = live_string_len(data.ptr, data.len);

	if (!mac)
		mac = mac_new(STR("fuzz"));
	mac_begin(mac);
	mac_add(mac, STR("f:1:1700000000000:"));
	mac_add(mac, (struct str){live_as_string(text), live_len(text)});
	mac_end_hex(mac, hex);
	return live_object("data", text, "signature", live_string_len(hex, sizeof hex), "timestamp", live_int(NOW),
			   "version", live_int(1), "componentId", live_string("f"), "compressed", live_bool(flags & 1),
			   "encrypted", live_bool(flags & 2), NULL);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct signer *plain, *sealing;
	struct signed_state opened;

	if (!size)
		return 0;
	if (!plain) {
		plain = make_signer(false);
		sealing = make_signer(true);
	}
	struct str rest = {(const char *)data + 1, size - 1};
	const live_value *object = *data == 'o' ? live_from_json(rest.ptr, rest.len, NULL, 0) : sign_data(*data, rest);
	if (!signer_open_once(plain, object, NOW, &opened)) {
		check_again(plain, &opened);
		check_again(sealing, &opened);
		drop(&opened);
	}
	live_value_unref(object);
	return 0;
}
