/* PROXY headers: fed as a connection feeds them, exactly as many bytes as are asked for. */
#include <stdint.h>
#include <string.h>

#include "core/assert.h"
#include "server/net/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_reader reader = {0};
	struct proxy_header header;
	size_t at = 0;
	for (;;) {
		size_t wants = proxy_wants(&reader);
		assert_always(wants > 0 && reader.len + wants <= sizeof reader.bytes);
		if (at == size)
			return 0;
		size_t part = wants < size - at ? wants : size - at;
		memcpy(reader.bytes + reader.len, data + at, part);
		at += part;
		int rc = proxy_feed(&reader, part, &header);
		if (rc == 0)
			continue;
		if (rc == 1) {
			char text[ADDRESS_TEXT_MAX];
			(void)address_text(&header.source, text);
		}
		return 0;
	}
}
