/* Joining: the first player of each room creates it, the others join it by its id. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* Few enough at once that no listen queue overflows and no join times out. */
enum { AT_ONCE = 16 };

static struct client *all;
static int total, started, done;

void join_start(struct client *clients, int count) {
    all = clients;
    total = count;
    join_more();
}

int joined_count(void) { return done; }

void join_more(void) {
    while (started < total && started - done < AT_ONCE) {
        struct client *client = &all[started];
        if (!client->creates && !client->room->id[0] && settings.protocol->websocket)
            return; /* its room is still being made */
        started++;
        settings.protocol->open(client);
    }
}

void joined(struct client *client) {
    client->state = LIVE;
    done++;
    join_more();
}

void connect_client(struct client *client, enum state state) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(settings.port)};
    int yes = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (client->fd < 0)
        fail("no socket for another player (%s): raise the limit with ulimit -n", strerror(errno));
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("cannot connect to 127.0.0.1:%d (%s)", settings.port, strerror(errno));
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
    client->state = state;
    client->left_len = 0;
    watch(client);
}

void upgrade(struct client *client, const char *path) {
    char request[512];
    int len = snprintf(request, sizeof request,
                       "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Key: dGlja3dpcmUtYmVuY2gtMQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                       path, settings.port);
    connect_client(client, UPGRADING);
    send_bytes(client, request, len);
}
