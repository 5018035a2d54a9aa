#include "redis/script.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "core/assert.h"

void redis_script_prepare(struct redis_script *script)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	int ok = EVP_Digest(script->text.ptr, script->text.len, digest, &len, EVP_sha1(), NULL);

	assert_always(ok == 1 && len * 2 == REDIS_SHA_HEX);
	for (unsigned i = 0; i < len; i++)
		snprintf(script->sha + 2 * i, 3, "%02x", digest[i]);
}
