/* A program that uses the library: it must find the public functions there. */
#include <stdio.h>
#include <stdlib.h>

#include <live/live.h>

int main(void)
{
	const live_value *value = live_object("one", live_int(1), NULL);
	char *text = live_to_json(value, NULL);
	live_value_unref(value);
	int printed = text ? puts(text) : -1;
	free(text);
	return printed < 0;
}
