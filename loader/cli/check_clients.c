/*
 * check_clients.c - uvdso check --clients: what each client makes of an image.
 */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "cli.h"
#include "kernel/image/clients/clients.h"

static bool lacks_nothing(const struct client_verdict *v)
{
	return v->outcome == CLIENT_ABSENT || (v->outcome == CLIENT_OURS && !v->rule);
}

/* `FILE: CLIENT: OUTCOME`, and why. The name is escaped, so that a verdict is one line. */
bool print_clients(const char *path, const struct image *image)
{
	char *name = escape(path);
	bool all_good = true;

	for (unsigned i = 0; i < nr_clients; i++) {
		const struct client *client = &clients[i];
		struct client_verdict v;

		client_judge(i, image, &v);
		printf("%s: %s: %s", name ? name : "?", client->name,
		       client_outcomes[v.outcome]);
		if (v.rule)
			printf(": %s (%s)", v.why, v.rule);
		if (v.outcome != CLIENT_ABSENT && !client_is_run(client, image))
			printf(" [read, not run: %s]", client->source);
		puts("");
		all_good &= lacks_nothing(&v);
	}
	free(name);
	return all_good;
}

/* The same as an object on one line; without an image error says why there is none. */
bool print_clients_json(const char *path, const struct image *image, const char *error)
{
	bool all_good = true;

	putchar('{');
	json_member("file", path);
	fputs(",\"clients\":[", stdout);
	for (unsigned i = 0; i < nr_clients && image; i++) {
		const struct client *client = &clients[i];
		struct client_verdict v;

		client_judge(i, image, &v);
		fputs(i ? ",{" : "{", stdout);
		json_member("client", client->name);
		putchar(',');
		json_member("outcome", client_outcomes[v.outcome]);
		putchar(',');
		json_member("rule", v.rule);
		putchar(',');
		json_member("why", v.rule ? v.why : NULL);
		printf(",\"run\":%s,", client_is_run(client, image) ? "true" : "false");
		json_member("source", client->source);
		putchar('}');
		all_good &= lacks_nothing(&v);
	}
	printf("],\"status\":\"%s\",", error ? "unreadable" : all_good ? "good" : "lacking");
	json_member("error", error);
	puts("}");
	return all_good;
}

void list_clients(FILE *to)
{
	fputs("\nClients, their sources, and what of them the tests run:\n", to);
	for (unsigned i = 0; i < nr_clients; i++)
		fprintf(to, "    %-13s %s\n%18s%s\n%18s%s\n", clients[i].name, clients[i].who,
			"", clients[i].source, "",
			clients[i].tested ? clients[i].tested : "(read, not run)");
}
