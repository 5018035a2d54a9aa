#include "server/security/origin.h"

static bool is_same_origin(struct str origin, struct str host, bool is_secure)
{
	struct str scheme = is_secure ? STR("https://") : STR("http://");

	if (!host.len || !str_starts_with(origin, scheme))
		return false;
	return str_equal((struct str){origin.ptr + scheme.len, origin.len - scheme.len}, host);
}

bool origin_is_allowed_at(const struct origin_list *list, struct str origin, struct str host, bool is_secure)
{
	if (!list->count)
		return true;
	for (unsigned i = 0; origin.ptr && i < list->count; i++) {
		bool is_word = str_equal(list->entries[i], STR("same-origin"));
		if (is_word ? is_same_origin(origin, host, is_secure) : str_equal(list->entries[i], origin))
			return true;
	}
	return false;
}

bool origin_is_allowed(const struct origin_list *list, struct str origin)
{
	return origin_is_allowed_at(list, origin, (struct str){NULL, 0}, false);
}
