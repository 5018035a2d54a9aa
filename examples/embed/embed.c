/* A program with a liveshard server inside: a component, a sign-on provider, a route. It ends when its input does. */
#include <stdio.h>
#include <string.h>

#include <live/embed.h>

static int increment(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload, (void)reply;
	live_set(self, "count", live_int(live_get_int(self, "count") + 1));
	return 0;
}

static const live_definition counter = {
	.name = "Counter",
	.default_state = LIVE_JSON({"count" : 0}),
	.actions = LIVE_ACTIONS({"increment", increment}),
};

static void sign_on(void *argument, const live_value *credentials, live_auth_request *request)
{
	const char *token = live_as_string(live_get(credentials, "token"));
	bool is_known = token && !strcmp(token, argument);
	live_auth_grant(request, is_known ? live_auth_new(live_object("id", live_string("boss"), NULL), token) : NULL);
}

static void hello(live_request *request, void *argument)
{
	(void)argument;
	live_request_reply(request, 200, "text/plain", "hello\n", 6);
}

int main(int argc, char **argv)
{
	char error[512];
	live_server *server = NULL;
	live_options *options = live_options_new();

	if (live_options_read_arguments(options, argc, argv, error, sizeof error) < 0 ||
	    live_server_new(&server, options, error, sizeof error) < 0 ||
	    live_server_register(server, &counter, error, sizeof error) < 0 ||
	    live_server_use_auth(server, &(live_auth_provider){"boss", "sesame", sign_on, NULL, NULL, NULL}) < 0 ||
	    live_server_add_route(server, &(live_route){.method = "GET", .path = "/hello", .handler = hello}) < 0 ||
	    live_server_start(server, error, sizeof error) < 0) {
		fprintf(stderr, "%s\n", error);
		live_server_free(server);
		return 1;
	}
	printf("http://localhost:%u\n", live_server_port(server));
	fflush(stdout);
	while (getchar() != EOF)
		continue;
	live_server_free(server);
	return 0;
}
