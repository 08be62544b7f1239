/* load PROTOCOL PORT ROOM_TYPE ROOMS PLAYERS HZ play|idle
 *
 * Joins ROOMS * PLAYERS players and prints "joined". Each player then sends one input per tick; the
 * inputs of all are spread evenly over the tick. Reads commands from standard input: "start" begins
 * a measurement, "stop" ends it, prints it as one line of JSON and ends the process; so does the
 * end of the input.
 */
#include "load.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 20, EVENTS = 256 };
/* Inputs that are due within the same quarter of a millisecond leave together: a wake-up for each would
 * cost more than all else that this process does, and a network card's interrupts come no finer. */
enum { SLOT_NS = 250000 };

struct settings settings;

static struct client *clients;
static int count, epoll;
static uint8_t buffer[READ_BYTES];

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ull + now.tv_nsec;
}

uint32_t next_random(struct client *client) {
    uint32_t x = client->random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return client->random = x;
}

void watch(struct client *client) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event);
}

void unwatch(struct client *client) {
    close(client->fd); /* also takes it out of the epoll set */
    client->left_len = 0;
}

/* The floor's framing: a length of two bytes, then as many bytes. */
static size_t split_floor(struct client *client, const uint8_t *data, size_t len, uint64_t at_ns) {
    size_t at = 0;
    while (len - at >= 2) {
        size_t size = data[at] | data[at + 1] << 8;
        if (len - at - 2 < size)
            break;
        count_message(client, data + at + 2, size, at_ns);
        at += 2 + size;
    }
    return at;
}

static size_t on_http_bytes(struct client *client, uint8_t *data, size_t len, bool closed) {
    char *head_end = memmem(data, len, "\r\n\r\n", 4);
    if (client->state == MATCHING) {
        if (!closed)
            return 0; /* "Connection: close": the answer is whole when the connection ends */
        unwatch(client);
        data[len] = 0;
        settings.protocol->on_http(client, (char *)data, len);
        return len;
    }
    if (!head_end)
        return 0;
    if (memcmp(data, "HTTP/1.1 101", 12))
        fail("the server refused the WebSocket: %.*s", (int)len, (char *)data);
    client->state = JOINING;
    if (settings.protocol->on_upgraded)
        settings.protocol->on_upgraded(client);
    return head_end + 4 - (char *)data;
}

static size_t consume(struct client *client, uint8_t *data, size_t len, uint64_t at_ns) {
    size_t used = 0;
    if (client->state == UPGRADING)
        used = on_http_bytes(client, data, len, false);
    if (client->state == UPGRADING)
        return used;
    if (settings.protocol->websocket)
        return used + split_frames(client, data + used, len - used, at_ns);
    return split_floor(client, data, len, at_ns);
}

static void keep(struct client *client, const uint8_t *data, size_t len) {
    if (len > client->left_cap) {
        client->left_cap = 2 * len;
        client->left = realloc(client->left, client->left_cap);
    }
    memcpy(client->left, data, len);
    client->left_len = len;
}

static void on_readable(struct client *client) {
    size_t len = client->left_len;
    memcpy(buffer, client->left, len);
    ssize_t got = read(client->fd, buffer + len, READ_BYTES - len - 1);
    if (got < 0 && errno == EAGAIN)
        return;
    if (client->state == MATCHING) {
        if (got > 0)
            keep(client, buffer, len + got);
        else
            on_http_bytes(client, buffer, len, true);
        return;
    }
    if (got <= 0)
        fail("a connection ended after %zu bytes left over (%s)", len, got ? strerror(errno) : "end of stream");
    len += got;
    size_t used = consume(client, buffer, len, now_ns());
    keep(client, buffer + used, len - used);
}

static void send_input(struct client *client) {
    uint8_t payload[64];
    size_t len = settings.protocol->input(client, payload);
    if (settings.protocol->websocket)
        send_message(client, payload, len);
    else
        send_bytes(client, payload, len);
}

static void on_command(void) {
    char line[64] = "";
    ssize_t got = read(0, line, sizeof line - 1);
    if (got <= 0)
        exit(0);
    if (strstr(line, "start"))
        start_measuring(clients, count);
    if (strstr(line, "stop"))
        report_and_exit(count);
}

static void wait_until(uint64_t due_ns) {
    struct epoll_event events[EVENTS];
    uint64_t now = now_ns(), wait = due_ns > now ? due_ns - now : 0;
    struct timespec timeout = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
    int ready = epoll_pwait2(epoll, events, EVENTS, &timeout, NULL);
    for (int i = 0; i < ready; i++)
        if (events[i].data.ptr)
            on_readable(events[i].data.ptr);
        else
            on_command();
}

/* One input after the other, `step` apart: each player comes round once per tick. */
static void play(void) {
    uint64_t step = 1e9 / settings.hz / count, due = now_ns();
    for (int next = 0;;) {
        if (settings.idle) {
            wait_until(now_ns() + 1000000000);
            continue;
        }
        for (uint64_t now = now_ns(); due <= now; due += step) {
            count_input(now - due);
            send_input(&clients[next]);
            next = (next + 1) % count;
        }
        wait_until(due + SLOT_NS - due % SLOT_NS);
    }
}

static void seat_players(void) {
    struct room *rooms = calloc(settings.rooms, sizeof *rooms);
    count = settings.rooms * settings.players;
    clients = calloc(count, sizeof *clients);
    for (int i = 0; i < count; i++) { /* neighbours in time are in different rooms */
        clients[i].room = &rooms[i % settings.rooms];
        clients[i].creates = i < settings.rooms;
        clients[i].random = 2654435761u * (i + 1);
    }
}

static const struct protocol *named(const char *name) {
    const struct protocol *known[] = {&tickwire, &colyseus, &floor_protocol};
    for (int i = 0; i < 3; i++)
        if (!strcmp(known[i]->name, name))
            return known[i];
    fail("no protocol \"%s\": choose tickwire, colyseus or floor", name);
}

int main(int argc, char **argv) {
    struct epoll_event commands = {.events = EPOLLIN, .data.ptr = NULL};
    if (argc != 8)
        fail("usage: load PROTOCOL PORT ROOM_TYPE ROOMS PLAYERS HZ play|idle");
    settings = (struct settings){named(argv[1]), argv[3],       atoi(argv[2]),           atoi(argv[4]),
                                 atoi(argv[5]),  atof(argv[6]), !strcmp(argv[7], "idle")};
    signal(SIGPIPE, SIG_IGN); /* a write's error says more */
    prctl(PR_SET_TIMERSLACK, 1); /* the default of 50 us is as long as the step between two inputs */
    epoll = epoll_create1(0);
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &commands);
    seat_players();
    join_start(clients, count);
    while (joined_count() < count)
        wait_until(now_ns() + 100000000);
    puts("joined");
    fflush(stdout);
    play();
}
