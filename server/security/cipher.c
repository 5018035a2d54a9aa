#include "server/security/cipher.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/base64.h"
#include "core/id.h"
#include "core/mem.h"

enum { IV_BYTES = 12, TAG_BYTES = 16 };

struct cipher {
	EVP_CIPHER_CTX *seal; /* both hold the key; only the iv is set anew */
	EVP_CIPHER_CTX *open;
	struct buf bytes; /* what is between text and base64 */
};

struct cipher *cipher_new(const unsigned char key[CIPHER_KEY_BYTES])
{
	struct cipher *cipher = mem_alloc(sizeof *cipher);

	cipher->seal = EVP_CIPHER_CTX_new();
	cipher->open = EVP_CIPHER_CTX_new();
	assert_always(cipher->seal && cipher->open);
	assert_always(EVP_EncryptInit_ex(cipher->seal, EVP_aes_256_gcm(), NULL, key, NULL));
	assert_always(EVP_DecryptInit_ex(cipher->open, EVP_aes_256_gcm(), NULL, key, NULL));
	buf_init(&cipher->bytes, INT_MAX);
	return cipher;
}

void cipher_free(struct cipher *cipher)
{
	if (!cipher)
		return;
	EVP_CIPHER_CTX_free(cipher->seal);
	EVP_CIPHER_CTX_free(cipher->open);
	buf_deinit(&cipher->bytes);
	free(cipher);
}

int cipher_seal(struct cipher *cipher, struct str text, struct buf *out)
{
	unsigned char iv[IV_BYTES], tag[TAG_BYTES];
	int len = 0;

	if (text.len > INT_MAX / 2)
		return -ENOSPC;
	buf_reset(&cipher->bytes, 64 * 1024);
	unsigned char *to = (unsigned char *)buf_room(&cipher->bytes, text.len + 1);
	if (!to)
		return -ENOMEM;
	id_random(iv, sizeof iv);
	bool ok = EVP_EncryptInit_ex(cipher->seal, NULL, NULL, NULL, iv) &&
		  EVP_EncryptUpdate(cipher->seal, to, &len, (const unsigned char *)text.ptr, (int)text.len) &&
		  EVP_EncryptFinal_ex(cipher->seal, to + len, &len) &&
		  EVP_CIPHER_CTX_ctrl(cipher->seal, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag);
	assert_always(ok);
	base64_encode(out, (struct str){(const char *)iv, sizeof iv});
	buf_append_char(out, ':');
	base64_encode(out, (struct str){(const char *)tag, sizeof tag});
	buf_append_char(out, ':');
	base64_encode(out, (struct str){(const char *)to, text.len});
	return buf_failed(out) ? -ENOSPC : 0;
}

/* Cuts what is before the next colon off *rest. false when there is none. */
static bool cut(struct str *rest, struct str *part)
{
	const char *colon = rest->len ? memchr(rest->ptr, ':', rest->len) : NULL;

	if (!colon)
		return false;
	*part = (struct str){rest->ptr, (size_t)(colon - rest->ptr)};
	rest->len -= part->len + 1;
	rest->ptr = colon + 1;
	return true;
}

int cipher_open(struct cipher *cipher, struct str sealed, struct buf *out)
{
	struct buf *bytes = &cipher->bytes;
	struct str iv, tag;
	int len = 0;

	if (sealed.len > INT_MAX / 2 || !cut(&sealed, &iv) || !cut(&sealed, &tag) ||
	    iv.len != base64_encoded_len(IV_BYTES) || tag.len != base64_encoded_len(TAG_BYTES))
		return -EINVAL;
	buf_reset(bytes, 64 * 1024);
	int rc = base64_decode(bytes, iv);
	rc = rc < 0 ? rc : base64_decode(bytes, tag);
	if (rc < 0 || bytes->len != IV_BYTES + TAG_BYTES)
		return rc < 0 ? rc : -EINVAL;
	rc = sealed.len ? base64_decode(bytes, sealed) : 0;
	if (rc < 0)
		return rc;
	size_t text_len = bytes->len - IV_BYTES - TAG_BYTES;
	unsigned char *from = (unsigned char *)bytes->ptr;
	unsigned char *to = (unsigned char *)buf_room(out, text_len + 1);
	if (!to)
		return -ENOSPC;
	bool ok = EVP_DecryptInit_ex(cipher->open, NULL, NULL, NULL, from) &&
		  EVP_DecryptUpdate(cipher->open, to, &len, from + IV_BYTES + TAG_BYTES, (int)text_len) &&
		  EVP_CIPHER_CTX_ctrl(cipher->open, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, from + IV_BYTES) &&
		  EVP_DecryptFinal_ex(cipher->open, to + len, &len);
	if (!ok)
		return -EINVAL;
	out->len += text_len;
	return 0;
}
