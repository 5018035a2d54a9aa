// A C++ program that includes every public header (the test makes every.h of them), registers a component and asks for it.
#include <cstdio>
#include <cstring>

#include "every.h"

namespace
{

int bark(live_component *self, const live_value *, live_reply *reply)
{
	live_reply_value(reply, live_string(live_name(self)));
	return 0;
}

const live_action actions[] = {{"bark", bark}, {nullptr, nullptr}};

void note(void *argument, const char *error, const live_value *result)
{
	live_wait_done(argument, error, result);
}

} // namespace

int main()
{
	char error[256] = "";
	live_server *server = nullptr;
	live_options *options = live_options_new();
	live_definition dog = {};
	dog.name = "Dog";
	dog.actions = actions;

	if (live_options_set(options, "port", "0", error, sizeof error) < 0 ||
	    live_server_new(&server, options, error, sizeof error) < 0 ||
	    live_server_register(server, &dog, error, sizeof error) < 0 ||
	    live_server_start(server, error, sizeof error) < 0) {
		std::fprintf(stderr, "%s\n", error);
		return 1;
	}
	live_wait *wait = live_wait_new();
	const live_value *names = nullptr;
	live_registry_names(server, note, wait);
	bool is_there = live_wait_for(wait, 10000, &names, error, sizeof error) == 0 &&
			std::strcmp(live_as_string(live_at(names, 0)), "Dog") == 0;
	live_value_unref(names);
	live_server_free(server);
	std::puts(is_there ? "registered" : error);
	return is_there ? 0 : 1;
}
