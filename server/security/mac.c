#include "server/security/mac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"

enum { MAC_BLOCK = 64 };

struct mac {
	EVP_MD_CTX *inner; /* has seen the key's block; copied, never changed */
	EVP_MD_CTX *outer; /* the same for the second hash */
	EVP_MD_CTX *work;  /* the text under way */
};

void mac_to_hex(const unsigned char *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
}

bool mac_is_equal(struct str a, struct str b)
{
	return a.len == b.len && CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0;
}

static EVP_MD_CTX *begin_half(const unsigned char key[MAC_BLOCK], unsigned char pad)
{
	unsigned char block[MAC_BLOCK];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	for (size_t i = 0; i < MAC_BLOCK; i++)
		block[i] = key[i] ^ pad;
	assert_always(ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) && EVP_DigestUpdate(ctx, block, sizeof block));
	OPENSSL_cleanse(block, sizeof block);
	return ctx;
}

struct mac *mac_new(struct str key)
{
	struct mac *mac = mem_alloc(sizeof *mac);
	unsigned char block[MAC_BLOCK] = {0};
	unsigned len = 0;

	/* A key longer than a block is hashed first. */
	if (key.len > MAC_BLOCK)
		assert_always(EVP_Digest(key.ptr, key.len, block, &len, EVP_sha256(), NULL));
	else if (key.len)
		memcpy(block, key.ptr, key.len);
	mac->inner = begin_half(block, 0x36);
	mac->outer = begin_half(block, 0x5c);
	mac->work = EVP_MD_CTX_new();
	assert_always(mac->work);
	OPENSSL_cleanse(block, sizeof block);
	return mac;
}

void mac_free(struct mac *mac)
{
	if (!mac)
		return;
	EVP_MD_CTX_free(mac->inner);
	EVP_MD_CTX_free(mac->outer);
	EVP_MD_CTX_free(mac->work);
	free(mac);
}

void mac_begin(struct mac *mac)
{
	assert_always(EVP_MD_CTX_copy_ex(mac->work, mac->inner));
}

void mac_add(struct mac *mac, struct str piece)
{
	assert_always(EVP_DigestUpdate(mac->work, piece.ptr, piece.len));
}

void mac_end_hex(struct mac *mac, char hex[MAC_HEX])
{
	unsigned char digest[MAC_BYTES];

	bool ok = EVP_DigestFinal_ex(mac->work, digest, NULL) && EVP_MD_CTX_copy_ex(mac->work, mac->outer) &&
		  EVP_DigestUpdate(mac->work, digest, sizeof digest) && EVP_DigestFinal_ex(mac->work, digest, NULL);
	assert_always(ok);
	mac_to_hex(digest, sizeof digest, hex);
}
