#include "server/component/singleton_mail.h"

#include <stdlib.h>

#include "core/mem.h"
#include "server/component/call.h"
#include "server/component/component_shard.h"

void singleton_request_free(struct singleton_request *request)
{
	if (request->asker)
		call_tell_asker(&(struct call){.asker = request->asker}, NULL, STR("The server has ended"));
	live_value_unref(request->value);
	live_value_unref(request->seed);
	live_auth_unref(request->auth);
	free(request);
}

static void deliver_request(struct mail *mail, struct shard *shard)
{
	struct singleton_request *request = LIST_OF(mail, struct singleton_request, mail);

	if (!component_shard_of(shard) || !singleton_serve(component_shard_of(shard), request))
		singleton_request_free(request);
}

static void discard_request(struct mail *mail)
{
	singleton_request_free(LIST_OF(mail, struct singleton_request, mail));
}

static struct str put(char **at, struct str s)
{
	struct str copy = {s.ptr ? *at : NULL, s.len};

	if (s.len)
		memcpy(*at, s.ptr, s.len);
	(*at)[s.len] = 0;
	*at += s.len + 1;
	return copy;
}

struct singleton_request *singleton_request_new(const struct singleton_request *from)
{
	size_t text = from->connection.len + from->component_id.len + from->request_id.len + from->word.len +
		      from->source.len + 6;
	struct singleton_request *request = mem_alloc(sizeof *request + text);
	char *at = request->text;

	*request = *from;
	list_init(&request->link);
	request->mail.deliver = deliver_request;
	request->mail.discard = discard_request;
	request->value = live_value_ref(from->value);
	request->seed = live_value_ref(from->seed);
	request->auth = live_auth_ref(from->auth);
	request->connection = put(&at, from->connection);
	request->component_id = put(&at, from->component_id);
	request->request_id = put(&at, from->request_id);
	request->word = put(&at, from->word);
	request->source = put(&at, from->source);
	return request;
}

unsigned singleton_home(const struct component_shard *here, const struct definition *definition)
{
	return map_hash(definition->name) % shard_group_count(shard_group_of(here->shard));
}

static void free_notice(struct singleton_notice *notice)
{
	frame_unref(notice->frame);
	frame_unref(notice->legacy);
	free(notice);
}

static void deliver_notice(struct mail *mail, struct shard *shard)
{
	struct singleton_notice *notice = LIST_OF(mail, struct singleton_notice, mail);

	if (component_shard_of(shard))
		singleton_hear(component_shard_of(shard), notice);
	free_notice(notice);
}

static void discard_notice(struct mail *mail)
{
	free_notice(LIST_OF(mail, struct singleton_notice, mail));
}

struct singleton_notice *singleton_notice_new(enum singleton_news news, const struct definition *definition,
					      struct str id)
{
	struct singleton_notice *notice = mem_alloc(sizeof *notice + id.len + 1);
	char *at = notice->text;

	notice->mail.deliver = deliver_notice;
	notice->mail.discard = discard_notice;
	notice->news = news;
	notice->definition = definition;
	notice->id = put(&at, id);
	return notice;
}
