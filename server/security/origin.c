#include "server/security/origin.h"

bool origin_is_allowed(const struct origin_list *list, struct str origin)
{
	if (!list->count)
		return true;
	for (unsigned i = 0; origin.ptr && i < list->count; i++)
		if (str_equal(list->entries[i], origin))
			return true;
	return false;
}
