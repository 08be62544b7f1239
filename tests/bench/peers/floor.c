/* floor HZ SNAPSHOT_BYTES: the least that any server can do with one core.
 *
 * No WebSocket, no game, no rooms: per tick and client it reads one input and writes one frame as
 * long as a snapshot. What it costs is the kernel's price of a client-tick. SNAPSHOT_BYTES 0 writes
 * nothing. Prints "ready PORT"; then answers "reset" and "report" on standard input, and ends with it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 16384, EVENTS = 256, TICKS = 1 << 20 };

static int clients[CLIENTS], count, epoll, listener;
static uint8_t frame[65536 + 2];
static size_t frame_len;
static double lateness_ms[TICKS];
static int ticks;

static void fail(const char *what) {
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        fail("epoll_ctl");
}

static void admit(void) {
    int yes = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0 || count == CLIENTS)
        fail("accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    clients[count++] = fd;
    watch(fd);
}

static void forget(int fd) {
    close(fd);
    for (int i = 0; i < count; i++)
        if (clients[i] == fd)
            clients[i] = clients[--count];
}

static void on_input(int fd) {
    uint8_t input[2048];
    ssize_t got = read(fd, input, sizeof input);
    if (got == 0 || (got < 0 && errno != EAGAIN))
        forget(fd);
}

static void tick(uint64_t due_ns) {
    if (ticks < TICKS)
        lateness_ms[ticks++] = (now_ns() - due_ns) / 1e6;
    if (frame_len > 2)
        for (int i = 0; i < count; i++)
            if (write(clients[i], frame, frame_len) != (ssize_t)frame_len && errno != EPIPE && errno != ECONNRESET)
                fail("a client stopped reading");
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(void) {
    qsort(lateness_ms, ticks, sizeof *lateness_ms, ascending);
    double p50 = ticks ? lateness_ms[ticks / 2] : 0, p99 = ticks ? lateness_ms[ticks * 99 / 100] : 0;
    printf("{\"tick_lateness_ms\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}, \"ticks\": %d}\n", p50, p99,
           ticks ? lateness_ms[ticks - 1] : 0, ticks);
    fflush(stdout);
}

static void on_command(void) {
    char line[64] = "";
    if (read(0, line, sizeof line - 1) <= 0)
        exit(0);
    if (strstr(line, "report"))
        report();
    ticks = 0;
}

static int listen_here(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, len) < 0 || listen(listener, 1024) < 0)
        fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &len);
    return ntohs(address.sin_port);
}

static void serve_until(uint64_t due_ns) {
    struct epoll_event events[EVENTS];
    for (uint64_t now = now_ns(); now < due_ns; now = now_ns()) {
        struct timespec left = {.tv_sec = (due_ns - now) / 1000000000, .tv_nsec = (due_ns - now) % 1000000000};
        int ready = epoll_pwait2(epoll, events, EVENTS, &left, NULL);
        for (int i = 0; i < ready; i++)
            if (events[i].data.fd == listener)
                admit();
            else if (events[i].data.fd == 0)
                on_command();
            else
                on_input(events[i].data.fd);
    }
}

int main(int argc, char **argv) {
    if (argc != 3 || atof(argv[1]) <= 0 || atoi(argv[2]) > 65535)
        return fputs("usage: floor HZ SNAPSHOT_BYTES (at most 65535)\n", stderr), 2;
    size_t size = atoi(argv[2]);
    uint64_t dt_ns = 1e9 / atof(argv[1]), due_ns;
    frame[0] = size, frame[1] = size >> 8;
    frame_len = size + 2;
    prctl(PR_SET_TIMERSLACK, 1);
    epoll = epoll_create1(0);
    printf("ready %d\n", listen_here());
    fflush(stdout);
    watch(0);
    watch(listener);
    for (due_ns = now_ns() + dt_ns;; due_ns += dt_ns) {
        serve_until(due_ns);
        tick(due_ns);
    }
}
