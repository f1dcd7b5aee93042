/*
 * check_clients.c - uvdso check --clients: what each client makes of an image.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "kernel/image/clients/clients.h"

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
		if (!client->tested)
			printf(" [read, not run: %s]", client->source);
		puts("");
		all_good &= v.outcome == CLIENT_OURS && !v.rule;
	}
	free(name);
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
